import { stat } from "node:fs/promises";

/** Why a program did not start. `code` is the system's (`ENOENT`) or Node's (`ERR_INVALID_ARG_VALUE`). */
export interface SpawnProblem {
  readonly code: string;
  readonly message: string;
}

/**
 * Says in words what kept a program from starting. The system reports a missing directory as a missing program, so the
 * directory is looked at.
 */
export async function explainSpawnError(error: unknown, file: string, cwd: string): Promise<SpawnProblem> {
  const code = codeOf(error);
  const directory = await problemOfDirectory(cwd);
  if (directory !== undefined) return { code, message: directory };
  switch (code) {
    case "ENOENT":
      return { code, message: `The program \`${file}\` was not found. Install it, or check its name and \`PATH\`.` };
    case "EACCES":
      return { code, message: `The program \`${file}\` may not be executed. Check its permissions (\`chmod +x\`).` };
    case "ENOEXEC":
      return { code, message: `The program \`${file}\` has no format that this system can run. Check its first line.` };
    case "E2BIG":
      return {
        code,
        message: `The arguments and variables of \`${file}\` are larger than the system allows (128 KiB for one). Pass large data in a file.`,
      };
    case "ERR_INVALID_ARG_VALUE":
      return { code, message: `An argument, a variable or the directory of \`${file}\` holds a NUL character.` };
    default: {
      const reason = error instanceof Error ? error.message : String(error);
      return { code, message: `The program \`${file}\` could not be started: ${reason}` };
    }
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return "UNKNOWN";
}

async function problemOfDirectory(cwd: string): Promise<string | undefined> {
  try {
    if ((await stat(cwd)).isDirectory()) return undefined;
    return `The working directory \`${cwd}\` is not a directory.`;
  } catch (error) {
    // Anything else about the directory (no access, a NUL in its name) is told by the error of the start itself.
    return codeOf(error) === "ENOENT" ? `The working directory \`${cwd}\` does not exist.` : undefined;
  }
}
