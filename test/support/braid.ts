import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The committed bin: what a user's shell starts. */
export const bin = fileURLToPath(new URL("../../packages/cli/bin/braid.js", import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves once stderr or stdout holds the text. */
  readonly says: (text: string | RegExp) => Promise<void>;
  readonly types: (text: string) => void;
}

export interface BraidOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** All that the program can read; null keeps its input open for `types`. */
  readonly stdin?: string | null;
}

/** A directory of its own with workflow files, and `braid` in it. */
export class Workbench {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), "braid-cli-")));

  write(name: string, content: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, content);
    return path;
  }

  start(args: readonly string[], options: BraidOptions = {}): Started {
    return this.startProgram(process.execPath, [bin, ...args], options);
  }

  async braid(args: readonly string[], options: BraidOptions = {}): Promise<Finished> {
    return await this.start(args, options).finished;
  }

  startProgram(program: string, args: readonly string[], options: BraidOptions = {}): Started {
    const child = spawn(program, args, {
      cwd: this.directory,
      // Nothing of the machine that runs the tests (CI, colors, stores) may change what they see.
      env: { PATH: process.env["PATH"], HOME: this.directory, LANG: "C.UTF-8", ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let output = "";
    const listeners = new Set<() => void>();
    const collect = (stream: NodeJS.ReadableStream | null): (() => string) => {
      let text = "";
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        output += chunk;
        for (const listener of listeners) listener();
      });
      return () => text;
    };
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.stdin?.on("error", () => {
      // A program that ends without reading its input closes the pipe.
    });
    if (options.stdin !== null) child.stdin?.end(options.stdin ?? "");
    const finished = new Promise<Finished>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve({ code, signal, stdout: stdout(), stderr: stderr() }));
    });
    const says = async (text: string | RegExp): Promise<void> => {
      const isThere = (): boolean => (typeof text === "string" ? output.includes(text) : text.test(output));
      await new Promise<void>((resolve, reject) => {
        const check = (): void => {
          if (!isThere()) return;
          listeners.delete(check);
          resolve();
        };
        listeners.add(check);
        check();
        void finished.then(() => reject(new Error(`ended without saying ${String(text)}:\n${output}`)));
      });
    };
    return { process: child, finished, says, types: (text) => child.stdin?.write(text) };
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The lines of `--json`. */
export function jsonLines(text: string): readonly Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
