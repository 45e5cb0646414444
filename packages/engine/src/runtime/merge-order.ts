import type { Plan } from "@braid/core";
import { Heap } from "./heap.ts";

/**
 * All steps so that each stands after what it depends on, ties in definition order; the members of a scope stand right
 * after its owner. Shards of the shared context are merged in this order, so the result never depends on who was first.
 */
export function mergeOrder(plan: Plan): readonly number[] {
  const followers = followersByScope(plan);
  const order: number[] = [];
  const visit = (scope: number): void => {
    for (const member of sortMembers(plan.scopes[scope]!.members, followers[scope]!)) {
      order.push(member);
      const { body, isMap } = plan.steps[member]!;
      if (body !== null && !isMap) visit(body);
    }
  };
  visit(0);
  const { onSuccess, onFailure, finally: last } = plan.phases;
  for (const phase of [onSuccess, onFailure, last]) {
    const body = phase === null ? null : plan.steps[phase]!.body;
    if (body !== null) visit(body);
  }
  return order;
}

type Followers = ReadonlyMap<number, readonly number[]>;

/** For each scope, member -> members after it. An edge that crosses a border counts between the members of the common list. */
function followersByScope(plan: Plan): readonly Followers[] {
  const followers = plan.scopes.map(() => new Map<number, number[]>());
  for (const edge of plan.edges) {
    const ends = inCommonList(plan, edge.from, edge.to);
    if (ends === null) continue;
    const [from, to] = ends;
    const list = followers[plan.steps[from]!.scope]!;
    const known = list.get(from);
    if (known === undefined) list.set(from, [to]);
    else known.push(to);
  }
  return followers;
}

function inCommonList(plan: Plan, from: number, to: number): readonly [number, number] | null {
  const ancestors = new Map<number, number>();
  for (let step = from; step >= 0; step = ownerOf(plan, step)) ancestors.set(plan.steps[step]!.scope, step);
  for (let step = to; step >= 0; step = ownerOf(plan, step)) {
    const source = ancestors.get(plan.steps[step]!.scope);
    if (source !== undefined) return source === step ? null : [source, step];
  }
  return null;
}

const ownerOf = (plan: Plan, step: number): number => plan.scopes[plan.steps[step]!.scope]!.owner;

/** Members in topological order, of those that could come next always the first in definition order (Kahn's algorithm). */
function sortMembers(members: readonly number[], followers: Followers): readonly number[] {
  const waitsFor = new Map(members.map((member) => [member, 0]));
  for (const after of followers.values()) for (const to of after) waitsFor.set(to, waitsFor.get(to)! + 1);
  const free = new Heap<number>((a, b) => a < b);
  for (const member of members) if (waitsFor.get(member) === 0) free.push(member);
  const order: number[] = [];
  for (let member = free.pop(); member !== undefined; member = free.pop()) {
    order.push(member);
    for (const to of followers.get(member) ?? []) {
      const left = waitsFor.get(to)! - 1;
      waitsFor.set(to, left);
      if (left === 0) free.push(to);
    }
  }
  return order;
}
