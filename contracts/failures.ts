/** Names of the faults that a workflow may meet. The name crosses the wire; a class would not. */
export const failureTypes = {
  targetMissing: 'TargetMissing',
  targetChanged: 'TargetChanged',
  outcomeUnknown: 'OutcomeUnknown',
  gateMissing: 'GateMissing',
  claimMissing: 'ClaimMissing',
} as const;
