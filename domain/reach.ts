/** How wide a step's effect can be. */
export const reaches = ['session', 'row', 'file'] as const;
export type Reach = (typeof reaches)[number];

/** How a step is taken back; `keptMs` is how long after it ended. */
export type WayBack =
  | { readonly kind: 'oneWay'; readonly because: string }
  | { readonly kind: 'snapshot'; readonly of: 'rows' | 'file'; readonly keptMs: number };
