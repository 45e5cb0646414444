import type { Io, OutputStream, StopSignal } from "../io.ts";

export interface FakeStream extends OutputStream {
  /** Everything that was written. */
  readonly text: () => string;
}

/** A stream that remembers. */
export function fakeStream(
  options: { readonly isTerminal?: boolean; readonly columns?: number; readonly rows?: number } = {},
): FakeStream {
  let written = "";
  return {
    isTerminal: options.isTerminal ?? false,
    columns: options.columns ?? 80,
    rows: options.rows ?? 24,
    isBroken: false,
    write: (content) => {
      written += content;
    },
    onResize: () => () => {},
    text: () => written,
  };
}

export interface FakeIo extends Io {
  readonly stdout: FakeStream;
  readonly stderr: FakeStream;
}

/** A process that does nothing to this one. */
export function fakeIo(
  options: Partial<Pick<Io, "env" | "cwd" | "isDebug">> & {
    readonly stdin?: string;
    readonly stdout?: FakeStream;
    readonly stderr?: FakeStream;
  } = {},
): FakeIo {
  return {
    env: options.env ?? {},
    cwd: options.cwd ?? "/nowhere",
    isDebug: options.isDebug ?? false,
    stdout: options.stdout ?? fakeStream(),
    stderr: options.stderr ?? fakeStream(),
    readStdin: () => Promise.resolve(options.stdin ?? ""),
    now: () => 0,
    exit: (code) => {
      throw new Error(`the command ended the process with ${code}`);
    },
    onStopSignal: (_listener: (signal: StopSignal) => void) => () => {},
  };
}
