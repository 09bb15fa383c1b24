/** For each session, how many others wait for it: directly, or behind others that do. */
export function countWaiters(sessions: readonly { readonly pid: number; readonly blockedBy: readonly number[] }[]): ReadonlyMap<number, number> {
  const waitersOf = new Map<number, number[]>();
  for (const { pid, blockedBy } of sessions) {
    for (const blocker of new Set(blockedBy)) waitersOf.set(blocker, [...(waitersOf.get(blocker) ?? []), pid]);
  }
  const counts = new Map<number, number>();
  for (const { pid } of sessions) {
    const found = new Set<number>();
    const open = [...(waitersOf.get(pid) ?? [])];
    for (let waiter = open.pop(); waiter !== undefined; waiter = open.pop()) {
      // A deadlock is a circle, which must not be walked twice nor count its start.
      if (found.has(waiter) || waiter === pid) continue;
      found.add(waiter);
      open.push(...(waitersOf.get(waiter) ?? []));
    }
    counts.set(pid, found.size);
  }
  return counts;
}
