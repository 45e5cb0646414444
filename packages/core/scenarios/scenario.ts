/**
 * Scenarios: the semantics as tables. Each is a workflow, what happens to it, and every change that follows. The tests run
 * them, and `docs/semantics.md` is made from them.
 */
export interface Rule {
  /** `section.rule`, stable: other texts refer to it. */
  readonly id: string;
  /** The rule as one or two sentences. */
  readonly text: string;
  /** The file of `packages/core/src` where it lives. */
  readonly place: string;
  readonly scenarios: readonly Scenario[];
}

export interface Scenario {
  readonly title: string;
  /** YAML of the workflow; `name:` is added. */
  readonly workflow: string;
  /** Steps that no worker takes: they stay queued until the play says `worker takes x`. */
  readonly held?: readonly string[];
  /** Answers to evaluations: by step, or `step[item]`. Conditions hold and lists are read from the file unless said here. */
  readonly answers?: { readonly [step: string]: Answer };
  /**
   * What happens, each line with the changes that follow: `[event, ...changes]`. Events and changes are those of
   * `play.ts`.
   */
  readonly play: readonly (readonly [string, ...string[]])[];
  /** Also show task events, ready steps and timers. */
  readonly isDetailed?: boolean;
}

export interface Answer {
  readonly when?: boolean;
  readonly items?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface Chapter {
  readonly title: string;
  readonly intro: string;
  readonly rules: readonly Rule[];
}
