import { describeTrouble } from './api.js';
import { Age } from './clock.js';
import { Notice } from './notice.js';

/** Says that what is shown is old, and since when; it goes on trying. */
export function StaleNotice({ error, readAt }: { readonly error: Error; readonly readAt: number }) {
  return (
    <Notice tone="warn">
      {describeTrouble(error)}{' '}
      {readAt > 0 && (
        <>
          What you see was read <Age at={new Date(readAt).toISOString()} />.{' '}
        </>
      )}
      Trying again.
    </Notice>
  );
}
