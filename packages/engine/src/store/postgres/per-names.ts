import type { Names } from "./names.ts";

/** Something made of names once for each store, such as the text of a statement. */
export function perNames<Made>(make: (names: Names) => Made): (names: Names) => Made {
  const made = new WeakMap<Names, { readonly value: Made }>();
  return (names) => {
    let entry = made.get(names);
    if (entry === undefined) {
      entry = { value: make(names) };
      made.set(names, entry);
    }
    return entry.value;
  };
}
