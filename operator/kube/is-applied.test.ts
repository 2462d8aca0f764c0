import { APPLIED_HASH_ANNOTATION, isApplied, withAppliedHash } from './is-applied.ts';
import type { KubeObject } from './kube-object.ts';

// biome-ignore lint/suspicious/noExplicitAny: a draft is changed at any depth, and its type would be the whole Deployment
type Draft = any;

function deployment(change: (object: Draft) => void = () => {}): KubeObject {
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'proxy', namespace: 'sales', labels: { app: 'proxy' } },
    spec: {
      replicas: 2,
      paused: undefined,
      template: {
        spec: {
          containers: [
            { name: 'proxy', image: 'x:1', args: ['proxy', '--quiet'], ports: [{ name: 'http', containerPort: 8080 }] },
          ],
          volumes: [{ name: 'tmp', emptyDir: {} }],
          tolerations: [{ key: 'a', operator: 'Exists' }],
        },
      },
    },
  };
  change(object);
  return object;
}

/** As an API server gives it back: with defaults, a status and what other managers added. */
function live(change: (object: Draft) => void = () => {}): KubeObject {
  const object = JSON.parse(JSON.stringify(withAppliedHash(deployment())));
  object.metadata = { ...object.metadata, uid: 'u', resourceVersion: '7', generation: 1 };
  object.metadata.annotations['deployment.kubernetes.io/revision'] = '1';
  object.spec.strategy = { type: 'RollingUpdate' };
  const pod = object.spec.template.spec;
  pod.restartPolicy = 'Always';
  pod.containers[0].imagePullPolicy = 'IfNotPresent';
  pod.containers[0].ports[0].protocol = 'TCP';
  pod.containers.unshift({ name: 'injected', image: 'mesh:1' });
  delete object.spec.paused;
  object.status = { replicas: 2 };
  change(object);
  return object;
}

describe('isApplied', () => {
  const cases: [behaviour: string, expected: boolean, desired: KubeObject, live: KubeObject][] = [
    ['takes defaults, status, and what others added to shared lists for no difference', true, deployment(), live()],
    [
      'sees a changed value',
      false,
      deployment(),
      live((object) => {
        object.spec.replicas = 3;
      }),
    ],
    [
      'sees a changed value deep in a shared list',
      false,
      deployment(),
      live((object) => {
        object.spec.template.spec.containers[1].image = 'x:2';
      }),
    ],
    [
      'sees a missing element of a shared list',
      false,
      deployment(),
      live((object) => {
        object.spec.template.spec.containers.pop();
      }),
    ],
    [
      'sees an element that someone added to an atomic list',
      false,
      deployment(),
      live((object) => {
        object.spec.template.spec.containers[1].args.push('--insecure');
      }),
    ],
    [
      'sees a field that someone added within an atomic list',
      false,
      deployment(),
      live((object) => {
        object.spec.template.spec.tolerations[0].effect = 'NoExecute';
      }),
    ],
    [
      'sees a label that someone took away',
      false,
      deployment(),
      live((object) => {
        delete object.metadata.labels.app;
      }),
    ],
    [
      'sees a field that is no longer wanted, by the hash',
      false,
      deployment((object: Draft) => {
        delete object.spec.replicas;
      }),
      live(),
    ],
    [
      'takes an empty list for an absent one, as the API server does',
      true,
      deployment(),
      live((object) => {
        delete object.metadata.finalizers;
      }),
    ],
  ];
  it.each(cases)('%s', (_, expected, desired, liveObject) => {
    expect(isApplied(withAppliedHash(desired), liveObject)).toBe(expected);
  });
});

describe('withAppliedHash', () => {
  const hashOf = (object: KubeObject) => withAppliedHash(object).metadata.annotations?.[APPLIED_HASH_ANNOTATION];

  it('does not depend on the order of fields, nor on an older hash, nor on fields without a value', () => {
    const { metadata, spec, ...rest } = deployment();
    const { paused: _, ...specified } = spec as Record<string, unknown>;
    expect(hashOf({ spec: specified, metadata: withAppliedHash(deployment()).metadata, ...rest })).toBe(hashOf(deployment()));
    expect(metadata.annotations).toBeUndefined();
  });

  it('depends on the order of lists', () => {
    const turned = deployment((object: Draft) => object.spec.template.spec.containers[0].args.reverse());
    expect(hashOf(turned)).not.toBe(hashOf(deployment()));
  });
});
