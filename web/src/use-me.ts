import { useQuery } from '@tanstack/react-query';
import { api, take } from './api.js';
import type { Me } from './shapes.js';

/** Who the token names; undefined until the API has said so. */
export function useMe(): Me | undefined {
  return useQuery({ queryKey: ['me'], queryFn: () => take(api.GET('/api/me')), staleTime: 60_000 }).data;
}
