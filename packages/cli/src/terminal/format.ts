/** A length of time in milliseconds as people read it: `85ms`, `1.2s`, `3m 04s`, `2h 05m`, `3d 4h`. */
export function formatDuration(ms: number): string {
  const length = Math.max(0, ms);
  if (length < 999.5) return `${Math.round(length)}ms`;
  // Rounded before the unit is chosen, so that 59.96 seconds do not become `60.0s`.
  if (length < 59_950) return `${(length / 1000).toFixed(1)}s`;
  const seconds = Math.round(length / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
  return `${Math.floor(minutes / 1440)}d ${Math.floor((minutes % 1440) / 60)}h`;
}

/** Time since the start at the head of a line, of even width for the first hour: `  0.42s`, ` 12.30s`, `  3m 04s`. */
export function formatElapsed(ms: number): string {
  const length = Math.max(0, ms);
  const text = length < 59_995 ? `${(length / 1000).toFixed(2)}s` : formatDuration(length);
  return text.padStart(8);
}

/** `1 step`, `2 steps`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** Amounts by name as options have them: `cpu=8, gpu=1`. */
export function formatAmounts(amounts: Readonly<Record<string, number>>): string {
  return Object.entries(amounts)
    .map(([name, amount]) => `${name}=${amount}`)
    .join(", ");
}
