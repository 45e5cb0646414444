import process from "node:process";

/** Everything a command takes from, or does to, the process around it. Tests hand in their own. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether errors are shown with the place where they happened: `--debug`, or `BRAID_DEBUG`. */
  readonly isDebug: boolean;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readStdin(): Promise<string>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Ends the process at once. */
  exit(code: number): never;
  /** Calls back for every signal (of these, or any) that asks the program to end. Returns a function that stops listening. */
  onStopSignal(listener: (signal: StopSignal) => void, signals?: readonly StopSignal[]): () => void;
}

export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

export interface OutputStream {
  readonly isTerminal: boolean;
  /** Size of the terminal; 80 by 24 where there is none. */
  readonly columns: number;
  readonly rows: number;
  /** Whether the reader has gone away: a pager that was closed, a `head` that has seen enough. */
  readonly isBroken: boolean;
  /** Writes, or does nothing once the reader has gone away. */
  write(content: string): void;
  /** Returns a function that stops listening. */
  onResize(listener: () => void): () => void;
}

const stopSignals: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** The real process. */
export function processIo(args: readonly string[]): Io {
  const { env } = process;
  const debug = env["BRAID_DEBUG"];
  return {
    env,
    cwd: process.cwd(),
    isDebug: args.includes("--debug") || (debug !== undefined && !["", "0", "false"].includes(debug)),
    stdout: outputStream(process.stdout),
    stderr: outputStream(process.stderr),
    readStdin: async () => (await import("node:stream/consumers")).text(process.stdin),
    now: () => Date.now(),
    exit: (code) => process.exit(code),
    onStopSignal(listener, signals = stopSignals) {
      for (const signal of signals) process.on(signal, listener);
      return () => {
        for (const signal of signals) process.off(signal, listener);
      };
    },
  };
}

/** A pipe without a reader, a stream that ended because of one, a terminal that was closed. */
const goneCodes: ReadonlySet<string | undefined> = new Set(["EPIPE", "ERR_STREAM_DESTROYED", "EIO"]);

function outputStream(stream: NodeJS.WriteStream): OutputStream {
  let isBroken = false;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // That nobody reads any more is no fault of ours; a full disk is.
    if (!goneCodes.has(error.code)) throw error;
    isBroken = true;
  });
  return {
    isTerminal: stream.isTTY,
    get columns() {
      return stream.columns > 0 ? stream.columns : 80;
    },
    get rows() {
      return stream.rows > 0 ? stream.rows : 24;
    },
    get isBroken() {
      return isBroken;
    },
    write(content) {
      if (!isBroken) stream.write(content);
    },
    onResize(listener) {
      stream.on("resize", listener);
      return () => stream.off("resize", listener);
    },
  };
}
