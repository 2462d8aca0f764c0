import type { RuntimeConfig } from '../contract/runtime-config.ts';
import { configRevision } from './config-revision.ts';

describe('configRevision', () => {
  const content: Omit<RuntimeConfig, 'revision'> = { version: 1, namespace: 'sales', endpoints: [], routes: [] };

  it('does not depend on the order in which fields were set', () => {
    const { version, namespace, endpoints, routes } = content;
    expect(configRevision({ routes, endpoints, namespace, version })).toBe(configRevision(content));
  });

  it('is short enough to be read aloud, and another for other content', () => {
    expect(configRevision(content)).toMatch(/^[0-9a-f]{12}$/);
    expect(configRevision({ ...content, namespace: 'support' })).not.toBe(configRevision(content));
  });
});
