/** Variables of this process that programs of steps may see unless an engine is told otherwise. */
const INHERITED = ["PATH", "HOME", "LANG", "TMPDIR"] as const;

/** What programs inherit by default: enough to find other programs and a place for files, and no secrets. */
export function defaultInheritedEnv(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const inherited: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = env[name];
    if (value !== undefined) inherited[name] = value;
  }
  return inherited;
}
