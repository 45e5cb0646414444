import type { Store } from "../store/port.ts";
import type { CommitAnswers, RunCommit } from "../store/run-commit.ts";

/**
 * A store at the other end of a connection, seen by one process: commits arrive one after the other in the order in which they were
 * sent, each some time later, and so two may be under way. Answers take their time too, and may overtake each other.
 */
export function distantStore(
  store: Store,
  parts: {
    readonly wait: () => Promise<void>;
    /** Told of each commit that was made on top of an unanswered one. */
    readonly onStacked: (isAccepted: boolean) => void;
  },
): Store {
  const { wait, onStacked } = parts;
  let arrived: Promise<unknown> = Promise.resolve();
  const commit = async (commits: readonly RunCommit[]): Promise<CommitAnswers> => {
    const answering = arrived.then(wait).then(() => store.commit(commits));
    arrived = answering.catch(() => {});
    const answer = await answering;
    for (const [index, { follows }] of commits.entries()) {
      if (follows !== undefined) onStacked(answer.answers[index]!.kind === "accepted");
    }
    await wait();
    return answer;
  };
  return new Proxy(store, {
    get(target, name) {
      if (name === "mostCommits") return 2;
      if (name === "commit") return commit;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
