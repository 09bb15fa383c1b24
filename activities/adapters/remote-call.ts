import type { failureTypes } from '../../contracts/failures.js';
import type { Step, ValidStep } from '../../domain/plan.js';
import { Fault } from '../faults.js';

/** What an executor worker is asked. To run or settle it takes the step from the plan that was approved, and nothing but this from here. */
export type RemoteRequest =
  | { readonly kind: 'rehearse'; readonly workspaceId: string; readonly step: ValidStep }
  | { readonly kind: 'snapshot'; readonly workspaceId: string; readonly step: Step }
  | { readonly kind: 'run'; readonly workspaceId: string; readonly snapshot: string | null; readonly left: string | null; readonly toldLines: number }
  | { readonly kind: 'settle'; readonly workspaceId: string; readonly snapshot: string | null; readonly left: string | null; readonly handle: string; readonly toldLines: number };

/** What it came to: a value, a fault that has a name, or trouble that may be gone next time. */
export type RemoteAnswer =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'fault'; readonly fault: keyof typeof failureTypes; readonly message: string }
  | { readonly kind: 'trouble'; readonly message: string };

export const writeAnswer = (value: unknown): string => JSON.stringify({ kind: 'value', value } satisfies RemoteAnswer);

export function writeTrouble(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return JSON.stringify((error instanceof Fault ? { kind: 'fault', fault: error.kind, message } : { kind: 'trouble', message }) satisfies RemoteAnswer);
}

/** The value of an answer; throws what the worker threw. */
export function readAnswer(text: string): unknown {
  const answer = JSON.parse(text) as RemoteAnswer;
  switch (answer.kind) {
    case 'value':
      return answer.value;
    case 'fault':
      throw new Fault(answer.fault, answer.message);
    case 'trouble':
      throw new Error(`the executor worker met trouble: ${answer.message}`);
  }
}

/** A handle with the place whose runs it is about: only a worker of that place can settle it. */
export const writePlaced = (place: string, handle: string): string => JSON.stringify({ place, handle });

export function readPlaced(text: string): { readonly place: string; readonly handle: string } | undefined {
  try {
    const { place, handle } = JSON.parse(text) as Partial<Record<'place' | 'handle', string>>;
    return typeof place === 'string' && typeof handle === 'string' ? { place, handle } : undefined;
  } catch {
    return undefined;
  }
}
