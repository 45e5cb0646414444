import { type ChildProcess, spawn } from "node:child_process";

/**
 * Reads `+group` and `-group` lines and keeps the list of open process groups. Its input ends when the process at the
 * other end of the pipe is gone, however it went (also by `kill -9`): then it stops every group that is still open.
 *
 * It is a POSIX shell and not a Node process because it is one in 1 ms and 1.6 MB (Node: 60 ms of CPU and 42 MB), which
 * a short `braid run` would notice. Signals meant for its parent must not end it first, so it ignores them. While it
 * waits it drops groups that are gone, so that a number which the system has given away again is not killed. It waits
 * two seconds, so that a program has ended well before a lease has, and with it the next attempt may start.
 */
const watcherScript = `
trap '' HUP INT TERM
open=' '
while IFS= read -r line; do
  group="\${line#?}"
  case "$line" in
    +*) open="$open$group " ;;
    -*) case "$open" in *" $group "*) open="\${open%% $group *} \${open#* $group }" ;; esac ;;
  esac
done
for group in $open; do kill -s TERM -- "-$group"; done
checks=20
while [ "$checks" -gt 0 ]; do
  alive=''
  for group in $open; do kill -s 0 -- "-$group" && alive="$alive $group"; done
  open="$alive"
  [ -n "$open" ] || exit 0
  sleep 0.1 || sleep 1
  checks=$((checks - 1))
done
for group in $open; do kill -s KILL -- "-$group"; done
`;

const openGroups = new Set<number>();
let watcher: ChildProcess | undefined;

/**
 * Makes sure that a process group ends with this process, even if this process is killed.
 *
 * The one watcher of this process starts with the first group, after its program, which so does not wait for it. A kill of
 * this process before the watcher has been told leaves the program behind: within 1 to 4 ms of the start of the first
 * program, and within microseconds of any other. `startGroupWatcher` makes the first like the others. Where there is no
 * `sh` there is no watcher, and programs survive a killed worker.
 */
export function watchGroup(groupId: number): void {
  openGroups.add(groupId);
  if (watcher === undefined) startWatcher();
  else tell(`+${groupId}\n`);
}

/** Starts the watcher ahead of the first program; for a worker that waits for work anyway. */
export function startGroupWatcher(): void {
  if (watcher === undefined) startWatcher();
}

/** To be called when the group is known to be empty, before the system can give its number to another. */
export function forgetGroup(groupId: number): void {
  if (openGroups.delete(groupId)) tell(`-${groupId}\n`);
}

function startWatcher(): void {
  let child: ChildProcess;
  try {
    child = spawn("/bin/sh", ["-c", watcherScript], {
      // Its own session: a Ctrl-C on the terminal must not reach it, and it must not hold a directory or a descriptor.
      detached: true,
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
      stdio: ["pipe", "ignore", "ignore"],
    });
  } catch {
    // Out of processes or descriptors: the program itself runs, and the next one tries again.
    return;
  }
  watcher = child;
  child.once("error", () => {
    watcher = undefined;
  });
  child.once("exit", (_code, signal) => {
    watcher = undefined;
    // Somebody killed it. An exit of its own would come again at once, so that waits for the next program.
    if (signal !== null && openGroups.size > 0) startWatcher();
  });
  child.stdin?.on("error", () => {
    // The pipe breaks when the watcher dies; `exit` above deals with that.
  });
  child.unref();
  for (const groupId of openGroups) tell(`+${groupId}\n`);
}

function tell(line: string): void {
  if (watcher?.stdin?.writable === true) watcher.stdin.write(line);
}
