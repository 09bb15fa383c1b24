/** How wide a step's effect can be. */
export const reaches = ['session', 'row', 'file', 'pod', 'workload', 'namespace', 'host', 'cluster'] as const;
export type Reach = (typeof reaches)[number];

/** What a snapshot is of. */
export const kept = ['rows', 'file', 'object', 'paths'] as const;

/** How a step is taken back; `keptMs` is how long after it ended. */
export type WayBack =
  | { readonly kind: 'oneWay'; readonly because: string }
  | { readonly kind: 'snapshot'; readonly of: (typeof kept)[number]; readonly keptMs: number };
