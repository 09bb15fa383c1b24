import type { RawStmt, TransactionStmt } from 'libpg-query';
import type { Remarks } from './remarks.js';

const isEnd = (kind: string | undefined): boolean => kind === 'TRANS_STMT_COMMIT' || kind === 'TRANS_STMT_ROLLBACK';

/**
 * Judges whether every transaction begins and ends, and tells for each statement which one it is in, counted from 1; 0 for none.
 * A text that first ends a transaction was written for a runner that opens one around it, and must leave one open.
 */
export function judgeTransactions(statements: readonly RawStmt[], remarksAt: (statementAt: number) => Remarks): readonly number[] {
  const kinds = statements.map(({ stmt }) => (stmt !== undefined && 'TransactionStmt' in stmt ? stmt.TransactionStmt : undefined));
  const doesSomething = kinds.includes(undefined);
  const isWrapped = isEnd(kinds[0]?.kind);
  let isInside = isWrapped;
  const numbers: number[] = [];
  let begun = isWrapped ? 1 : 0;
  const remark = (index: number, reason: string, remedy: string): void => {
    if (doesSomething) remarksAt(statements[index]?.stmt_location ?? 0).warn('sql.transaction', undefined, reason, remedy);
  };
  for (const [index, transaction] of kinds.entries()) {
    numbers.push(isInside ? begun : 0);
    if (transaction === undefined) continue;
    const wasInside = isInside;
    isInside = follow(transaction, isInside, (reason, remedy) => remark(index, reason, remedy));
    if (isInside && (!wasInside || isEnd(transaction.kind))) begun += 1;
  }
  if (isInside !== isWrapped) remark(kinds.length - 1, isInside ? 'a transaction is left open, so nothing of it is kept' : 'it ends a transaction that it did not begin', 'End each transaction by COMMIT or ROLLBACK');
  return numbers;
}

function follow({ kind, chain }: TransactionStmt, isInside: boolean, remark: (reason: string, remedy: string) => void): boolean {
  const step: string = kind ?? '';
  switch (step) {
    case 'TRANS_STMT_BEGIN':
    case 'TRANS_STMT_START':
      if (isInside) remark('it begins a transaction inside of one, which Postgres ignores', 'Begin it once');
      return true;
    case 'TRANS_STMT_COMMIT':
    case 'TRANS_STMT_ROLLBACK':
      if (!isInside) remark('it ends a transaction where there is none', 'Leave it out, or write BEGIN before');
      return isInside && chain === true;
    default:
      return isInside;
  }
}
