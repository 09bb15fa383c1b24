/** The same value with every text in it redacted, names of members too. */
export function redactWithin<Value>(redact: (text: string) => string, value: Value): Value {
  return redactAny(redact, value) as Value;
}

function redactAny(redact: (text: string) => string, value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((each: unknown) => redactAny(redact, each));
  if (typeof value !== 'object' || value === null || value instanceof Date || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [redact(name), redactAny(redact, each)]));
}
