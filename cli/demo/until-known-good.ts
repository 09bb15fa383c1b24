import { setTimeout as wait } from 'node:timers/promises';
import { openDatabase } from '../../db/database.js';
import { createLastKnownGoodRecords } from '../../db/last-known-good-records.js';
import type { KnownContent } from '../../domain/last-known-good.js';
import { Trouble } from '../local/trouble.js';
import { WORKSPACE } from './scenario.js';

const EVERY_MS = 500;
const GOOD_WITHIN_MS = 90_000;

/** Waits until a sweep has noted this content of a target as the last known good. */
export async function untilKnownGood(databaseUrl: string, target: string, isIt: (known: KnownContent) => boolean, say: (line: string) => void): Promise<void> {
  const { db, close } = openDatabase(databaseUrl, { max: 1 });
  try {
    const records = createLastKnownGoodRecords(db);
    const deadline = Date.now() + GOOD_WITHIN_MS;
    let toldSeconds = 0;
    while (Date.now() < deadline) {
      const known = (await records.listKnownContents(WORKSPACE, target)).find(isIt);
      if (known !== undefined && known.goodAt !== null) return;
      const seconds = Math.floor(((known?.wellAt.getTime() ?? 0) - (known?.wellSince?.getTime() ?? 0)) / 1_000);
      if (seconds > toldSeconds) say(`  Sluice has seen it well for ${seconds} s`);
      toldSeconds = seconds;
      await wait(EVERY_MS);
    }
  } finally {
    await close();
  }
  throw new Trouble(`${target} was not well for long enough to call its configuration good`, 'try again when this machine has less to do');
}
