type OptionalKeys<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T];

/** `T` with every member that may be undefined turned into an optional one. */
export type WithoutUndefined<T> = { readonly [K in Exclude<keyof T, OptionalKeys<T>>]: T[K] } & {
  readonly [K in OptionalKeys<T>]?: Exclude<T[K], undefined>;
};

/** Leaves out members that are undefined: in JSON, and in the model, an absent key is absent. */
export function withoutUndefined<T extends object>(value: T): WithoutUndefined<T> {
  const result: { [key: string]: unknown } = {};
  for (const [key, member] of Object.entries(value)) if (member !== undefined) result[key] = member;
  return result as WithoutUndefined<T>;
}
