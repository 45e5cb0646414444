/** Nobody mistypes a longer name by a letter, and the distance costs its length squared. */
const MAX_NAME_LENGTH = 100;

/**
 * The candidate that `name` is most likely a misspelling of, or undefined when none is near enough to be worth a hint.
 * Case is ignored; of equally near candidates the first one wins.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  if (wanted.length > MAX_NAME_LENGTH) return undefined;
  let best: string | undefined;
  // A third of the letters may differ, so that a short name does not match everything.
  let limit = Math.floor(wanted.length / 3) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase(), limit);
    if (distance >= limit) continue;
    best = candidate;
    limit = distance;
  }
  return best;
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that turn one text into the other; `limit` as soon as it is
 * certain that there are that many or more, which makes a search through thousands of names cheap.
 */
export function editDistance(from: string, to: string, limit = Number.MAX_SAFE_INTEGER): number {
  if (Math.abs(from.length - to.length) >= limit) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    let smallest = row;
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (last[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      let cost = Math.min(replaced, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (isSwap) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
      smallest = Math.min(smallest, cost);
    }
    // A swap reaches back two rows and costs one, so two rows above the limit settle it; one row is enough beyond it.
    if (smallest > limit) return limit;
    beforeLast = last;
    last = current;
  }
  return Math.min(last[to.length] ?? 0, limit);
}
