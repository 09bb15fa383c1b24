import type { ClaimRecord, ClaimRequest, LedgerRow, Recorder } from '../../activities/ports.js';

export type Ledger = Pick<Recorder, 'claim' | 'readLedger' | 'saveSnapshot' | 'begin' | 'end' | 'settleExecution'>;

interface Row extends LedgerRow {
  readonly incidentId: string;
  readonly digest: string;
  readonly target: string;
}

// As long as in the real one.
const CLAIM_LASTS_MS = 3_600_000;

/** The ledger in memory. `read` is what the rest of the record says at the moment of a claim. */
export function createFakeLedger(read: (request: Pick<ClaimRequest, 'grant'>) => Omit<ClaimRecord, 'ledger'>) {
  const rows = new Map<string, Row>();
  /** What the audit remembers of claims. */
  const granted = new Set<string>();
  const write = (row: Row, over: Partial<Row> = {}) => void rows.set(row.key, { ...row, ...over });
  const ofPlan = (incidentId: string, digest: string) => [...rows.values()].filter((row) => row.incidentId === incidentId && row.digest === digest);
  const readNow = () => read({ grant: { kind: 'gate', id: '' } });
  const inMs = (ms: number) => new Date(readNow().now.getTime() + ms);
  const hasBegun = ({ state }: Row) => state === 'started' || state === 'unknown';
  function settle(which: readonly Row[]): void {
    for (const row of which) {
      if (row.state === 'started') write(row, { state: 'unknown' });
      if (row.state === 'claimed') write(row, { state: 'void' });
    }
  }

  // One after the other, as rows that are locked make it.
  let last: Promise<unknown> = Promise.resolve();
  function inTurn<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  }

  const ledger: Ledger = {
    claim: (request, judge) =>
      inTurn(async () => {
        const { incidentId, kind, claimId, digest, grant } = request;
        const ledger = ofPlan(incidentId, digest);
        const mine = ledger.filter((row) => row.kind === kind && row.claimId === claimId);
        if (mine.length > 0) return { kind: 'granted', steps: mine };
        if (granted.has(grant.id)) return { kind: 'refused', because: 'alreadyUsed' };
        const judgement = await judge({ ...read(request), ledger });
        if (judgement.kind === 'refused') return judgement;
        granted.add(grant.id);
        if (kind === 'rollback') settle(ledger.filter((row) => row.kind === 'execute'));
        for (const { key, stepId, target } of judgement.steps) {
          const row = rows.get(key);
          const fresh = { key, kind, claimId, incidentId, digest, stepId, target, state: 'claimed', snapshot: null, snapshotKeptUntil: null, handle: null, claimedAt: inMs(0), endedAt: null } as const;
          if (row === undefined) write(fresh);
          else if (row.kind === 'rollback' && row.state !== 'succeeded') write(row, { claimId, claimedAt: inMs(0), ...(hasBegun(row) ? {} : { state: 'claimed', handle: null }) });
        }
        return judgement;
      }),

    readLedger: async (incidentId, digest) => ofPlan(incidentId, digest),

    saveSnapshot: (key, snapshot, keptMs) =>
      inTurn(() => {
        const row = rows.get(key);
        if (row?.handle === null) write(row, { snapshot, snapshotKeptUntil: inMs(keptMs) });
      }),

    begin: (key, handle, seen) =>
      inTurn(() => {
        const row = rows.get(key);
        if (row?.handle !== seen || !(row.state === 'claimed' || row.state === 'started' || (row.state === 'unknown' && row.kind === 'rollback'))) return 'calledOff';
        if (readNow().killSwitchOn) return 'killSwitch';
        if (row.state === 'claimed' && row.claimedAt <= inMs(-CLAIM_LASTS_MS)) return 'calledOff';
        write(row, { state: 'started', handle });
        return 'begun';
      }),

    end: (key, state, _result, keptMs, handle) =>
      inTurn(() => {
        const row = rows.get(key);
        if (row?.handle === handle && (row.state === 'claimed' || hasBegun(row))) write(row, { state, endedAt: inMs(0), snapshotKeptUntil: row.snapshotKeptUntil && inMs(keptMs) });
      }),

    settleExecution: (incidentId, digest) =>
      inTurn(() => {
        settle(ofPlan(incidentId, digest));
        return ofPlan(incidentId, digest).some(({ state, handle }) => state !== 'void' && handle !== null);
      }),
  };
  return {
    ...ledger,
    rows: (): readonly Row[] => [...rows.values()],
    /** What the sweep does. */
    async forgetSnapshots(): Promise<void> {
      for (const row of rows.values()) if (row.snapshotKeptUntil !== null && row.snapshotKeptUntil < inMs(0)) write(row, { snapshot: null });
    },
  };
}

/** A recorder of which only the ledger is there; the rest of the record takes everything and says nothing, or is not expected to be asked. */
export function createLedgerRecorder(ledger: Ledger, over: Partial<Recorder> = {}): Recorder {
  const unused = (): never => {
    throw new Error('not expected here');
  };
  return {
    recordUpdate: async () => {},
    showPhase: async () => {},
    appendOutput: async () => {},
    countOutputLines: async () => 0,
    saveMeasurement: async () => {},
    readMeasurement: async () => undefined,
    readEarlierRun: unused,
    listGlassBreakers: unused,
    readSamples: unused,
    setSeverity: unused,
    setRootCause: unused,
    listScripts: unused,
    readTrackRecords: unused,
    nextPlanVersion: unused,
    savePlan: unused,
    readPlan: async () => undefined,
    markVerified: unused,
    openGate: unused,
    settleGate: unused,
    readGate: async () => undefined,
    readCancellation: unused,
    readPolicy: unused,
    readPolicies: unused,
    readPast: unused,
    closeRollback: unused,
    close: unused,
    openFromSweep: unused,
    tellWell: unused,
    listKnownContents: unused,
    noteWell: unused,
    noteUnwell: unused,
    ...ledger,
    ...over,
  };
}
