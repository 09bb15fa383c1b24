/** Names of the faults that a workflow may meet. The name crosses the wire; a class would not. */
export const failureTypes = {
  targetMissing: 'TargetMissing',
  outcomeUnknown: 'OutcomeUnknown',
  gateMissing: 'GateMissing',
} as const;
