/** What a command may use of the process that it runs in. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person can be asked. */
  readonly isTerminal: boolean;
  readonly hasColours: boolean;
  readonly interrupted: AbortSignal;
  /** For what runs until it is stopped: aborted when whoever started us ends us, or is gone. */
  readonly untilToldToEnd: () => AbortSignal;
  /** Tells whoever started us that we serve. */
  readonly sayReady: () => void;
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
  readonly ask: (question: string) => Promise<string>;
}

/** The command was called in a way that it does not take. */
export class WrongUsage extends Error {
  override readonly name = 'WrongUsage';
}

/** What was asked cannot be had, in words for the person who asked. */
export class Refused extends Error {
  override readonly name = 'Refused';
}
