import type { ComponentProps } from 'react';

const look = {
  primary: 'border-accent bg-accent text-on-accent hover:opacity-90',
  plain: 'border-edge bg-card text-ink hover:border-ink',
  danger: 'border-bad bg-card text-bad hover:bg-bad/10',
};

export function Button({ look: name = 'plain', ...props }: ComponentProps<'button'> & { readonly look?: keyof typeof look }) {
  return (
    <button
      type="button"
      {...props}
      className={`min-h-11 cursor-pointer rounded-md border px-4 py-2 font-semibold disabled:cursor-not-allowed disabled:border-line disabled:bg-well disabled:text-muted ${look[name]}`}
    />
  );
}
