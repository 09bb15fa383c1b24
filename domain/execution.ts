/** `void`: called off before it began; it can never begin any more. */
export const executionStates = ['claimed', 'started', 'succeeded', 'failed', 'unknown', 'void'] as const;
export type ExecutionState = (typeof executionStates)[number];
