import type { Json } from './canonical.js';
import { get } from './kubernetes-desired.js';
import { isList, isObject } from './json-diff.js';
import type { KubernetesObject } from './kubernetes.js';

/** Whoever keeps an object as a repository or a chart has it, and so takes back what others change. */
export interface Owner {
  readonly tool: 'Argo CD' | 'Flux' | 'Helm';
  /** What of it: `application shop`. */
  readonly what: string;
}

/** Who owns an object, told by the marks that they leave on it. */
export function findOwner(object: KubernetesObject): Owner | undefined {
  const label = (name: string) => toText(get(object, ['metadata', 'labels', name]));
  const annotation = (name: string) => toText(get(object, ['metadata', 'annotations', name]));
  const isManagedBy = (manager: RegExp) => {
    const fields = object.metadata['managedFields'];
    return isList(fields) && fields.some((entry) => isObject(entry) && manager.test(toText(entry['manager']) ?? ''));
  };

  const [tracked] = annotation('argocd.argoproj.io/tracking-id')?.split(':') ?? [];
  const application = tracked ?? label('argocd.argoproj.io/instance') ?? (isManagedBy(/^argocd-(application-)?controller$/) ? label('app.kubernetes.io/instance') ?? 'of unknown name' : undefined);
  if (application !== undefined) return { tool: 'Argo CD', what: `application ${application}` };

  for (const [domain, kind] of [['kustomize', 'Kustomization'], ['helm', 'HelmRelease']] as const) {
    const name = label(`${domain}.toolkit.fluxcd.io/name`);
    if (name !== undefined) return { tool: 'Flux', what: `${kind} ${label(`${domain}.toolkit.fluxcd.io/namespace`) ?? ''}/${name}` };
    if (isManagedBy(new RegExp(`^${domain}-controller$`))) return { tool: 'Flux', what: kind };
  }

  const release = annotation('meta.helm.sh/release-name');
  if (release !== undefined) return { tool: 'Helm', what: `release ${release}` };
  return label('app.kubernetes.io/managed-by') === 'Helm' ? { tool: 'Helm', what: 'a release' } : undefined;
}

const toText = (json: Json | undefined): string | undefined => (typeof json === 'string' && json !== '' ? json : undefined);
