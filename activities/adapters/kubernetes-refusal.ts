/** What the API server said no to. `reason` is its own word, such as `Conflict` or `AlreadyExists`. */
export class KubernetesRefusal extends Error {
  override readonly name = 'KubernetesRefusal';
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

interface Status {
  readonly message?: string;
  readonly reason?: string;
}

/** An answer that is no success: a refusal, or a plain error where the cluster itself is in trouble and may say yes later. */
export function readRefusal(target: string, what: string, status: number, text: string): Error {
  const { message = text.slice(0, 500).trim() || `status ${status}`, reason = '' } = readStatus(text);
  if (status >= 500 || status === 429) return new Error(`target ${target}: its cluster answered with ${status} when asked to ${what}: ${message}`);
  return new KubernetesRefusal(status, reason, toWords(target, what, status, message));
}

function toWords(target: string, what: string, status: number, message: string): string {
  if (status === 401) return `the cluster of target ${target} does not accept its credentials; renew those in its kubeconfig`;
  // Quotas and admission forbid, too, in words of their own.
  if (status === 403 && / cannot \w+ resource /.test(message)) return `the credentials of target ${target} may not ${what}; give them that right or take others: ${message}`;
  return message;
}

function readStatus(text: string): Status {
  try {
    const status: unknown = JSON.parse(text);
    return typeof status === 'object' && status !== null ? (status as Status) : {};
  } catch {
    // A proxy on the way answers with what it likes.
    return {};
  }
}
