/** One thing that Sluice watches and repairs, and that can be broken again and again. */
export interface World {
  /** Its workspace of sluice.yaml, as YAML. */
  readonly workspace: string;
  /** The variables that it names. */
  readonly environment: Readonly<Record<string, string>>;
  /** What Sluice must know of it before, told once the API is up. */
  readonly prepare: (author: { post(path: string, body: object): Promise<unknown> }, databaseUrl: string) => Promise<void>;
  breakIt(name: string): Promise<Broken>;
  close(): Promise<void>;
}

export interface Broken {
  /** How often it was changed since it broke, as the target counts. */
  countEffects(): Promise<number>;
  /** Whether it is again as it was when it broke. */
  isAsItBroke(): Promise<boolean>;
  /** Whether nothing runs any more of what changed it. */
  isAtRest(): Promise<boolean>;
  /** Where the change cannot be seen on the wire: calls back as soon as the target is changed. */
  onChange(changed: () => void): void;
  /** Leaves it well. */
  close(): Promise<void>;
}
