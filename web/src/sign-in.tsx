import { useState } from 'react';
import { Button } from './button.js';
import { Notice } from './notice.js';
import { signIn } from './session.js';

/** Asks for a token, and says why one is needed again. */
export function SignIn({ notice }: { readonly notice: string | null }) {
  const [token, setToken] = useState('');
  return (
    <main className="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-4 p-4">
      <title>Sign in · Sluice</title>
      <h1 className="text-2xl font-semibold">Sign in to Sluice</h1>
      {notice !== null && <Notice tone="bad">{notice}</Notice>}
      <form
        className="card flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          signIn(token.trim());
        }}
      >
        <label htmlFor="token" className="font-semibold">
          Token
        </label>
        <input
          id="token"
          type="password"
          className="field font-mono"
          required
          // A header cannot carry anything else.
          pattern="\s*[!-~]+\s*"
          title="A token has no spaces and no accented letters."
          autoComplete="off"
          spellCheck={false}
          aria-describedby="token-help"
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
        <p id="token-help" className="text-sm text-muted">
          <code className="font-mono">npm start</code> prints a login link with a token in it, and says where the token is kept. It stays in
          this browser until you sign out.
        </p>
        <Button look="primary" type="submit">
          Sign in
        </Button>
      </form>
    </main>
  );
}
