import { describe, expect, it } from '@jest/globals';
import { findOwner } from '../../domain/kubernetes-owner.js';

const object = (metadata: object) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', ...metadata } });
const written = (manager: string) => ({ managedFields: [{ manager, operation: 'Apply' }] });

describe('the owner of an object', () => {
  it.each([
    ['Argo CD by its tracking id', { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/web' } }, 'Argo CD', 'application shop'],
    ['Argo CD by its label', { labels: { 'argocd.argoproj.io/instance': 'shop' } }, 'Argo CD', 'application shop'],
    ['Argo CD by what it wrote', { labels: { 'app.kubernetes.io/instance': 'shop' }, ...written('argocd-controller') }, 'Argo CD', 'application shop'],
    ['Flux by a Kustomization', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' } }, 'Flux', 'Kustomization flux-system/apps'],
    ['Flux before Helm', { labels: { 'helm.toolkit.fluxcd.io/name': 'web', 'helm.toolkit.fluxcd.io/namespace': 'shop', 'app.kubernetes.io/managed-by': 'Helm' }, annotations: { 'meta.helm.sh/release-name': 'web' } }, 'Flux', 'HelmRelease shop/web'],
    ['Helm by its release', { labels: { 'app.kubernetes.io/managed-by': 'Helm' }, annotations: { 'meta.helm.sh/release-name': 'web' } }, 'Helm', 'release web'],
  ])('is %s', (_how, metadata, tool, what) => expect(findOwner(object(metadata))).toEqual({ tool, what }));

  it.each([
    ['there are no marks', {}],
    ['kubectl wrote it', written('kubectl')],
    ['a label of applications alone is on it', { labels: { 'app.kubernetes.io/instance': 'shop' } }],
  ])('is nobody where %s', (_why, metadata) => expect(findOwner(object(metadata))).toBeUndefined());
});
