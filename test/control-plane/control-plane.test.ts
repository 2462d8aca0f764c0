import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { isWrite } from './audit-log.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';

describe('the control plane of the tests', () => {
  let controlPlane: ControlPlane;
  beforeAll(async () => {
    controlPlane = await startControlPlane();
  }, 180_000);
  afterAll(() => controlPlane.stop());

  it('keeps objects and service account tokens over a crash of the API server', async () => {
    await controlPlane.kubectl(['create', 'serviceaccount', 'survivor']);
    const { stdout: token } = await controlPlane.kubectl(['create', 'token', 'survivor']);
    await controlPlane.killApiServer();
    expect((await controlPlane.kubectl(['get', 'namespaces'])).stderr).toMatch(/refused/);
    await controlPlane.startApiServer();

    const kubeconfig = await controlPlane.kubeconfigFor({ token: token.trim() });
    const answer = await controlPlane.kubectl(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'], { kubeconfig });
    expect(answer).toEqual({ stdout: 'system:serviceaccount:default:survivor', stderr: '', code: 0 });
    expect((await controlPlane.kubectl(['get', 'serviceaccount', 'survivor', '-o', 'name'])).stdout).toBe(
      'serviceaccount/survivor\n',
    );
  });

  it('lets RBAC refuse a user that nobody gave a role', async () => {
    const kubeconfig = await controlPlane.kubeconfigFor({ user: 'stranger', groups: ['visitors'] });
    const answer = await controlPlane.kubectl(['get', 'secrets'], { kubeconfig });
    expect(answer.code).toBe(1);
    expect(answer.stderr).toContain('User "stranger" cannot list resource "secrets"');
  });

  it('counts each write once, with who made it', async () => {
    const before = controlPlane.auditLog().length;
    await controlPlane.kubectl(['create', 'configmap', 'counted']);
    const writes = controlPlane
      .auditLog()
      .slice(before)
      .filter((event) => isWrite(event) && event.user.username === 'admin');
    expect(writes).toMatchObject([{ verb: 'create', objectRef: { resource: 'configmaps', name: 'counted' } }]);
  });

  it('leaves nothing behind', async () => {
    const other = await startControlPlane();
    const directory = dirname(other.kubeconfig);
    expect(existsSync(directory)).toBe(true);
    await other.stop();
    expect(existsSync(directory)).toBe(false);
    await expect(fetch(other.apiServerUrl)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  }, 180_000);
});
