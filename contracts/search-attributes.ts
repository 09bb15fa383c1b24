/** Keyword search attributes that a Temporal server must know before the first incident starts. */
export const searchAttributeNames = ['SluiceWorkspace', 'SluicePhase', 'SluiceSeverity', 'SluiceGate'] as const;
