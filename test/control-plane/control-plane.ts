import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AuditEvent, DEFAULT_AUDIT_POLICY, readAuditLog } from './audit-log.ts';
import { controlPlaneBinaries } from './binaries.ts';
import { createCertificateAuthority, type KeyPair } from './certificates.ts';
import { freePort } from './free-port.ts';
import { createWorkspace, type RunningProcess } from './workspace.ts';

/** 4 s on an idle machine; the rest is for one with two busy cores. */
const READY_WITHIN_MS = 120_000;
const READY_POLL_MS = 100;
const KUBECTL_TIMEOUT_MS = 60_000;
const KUBECTL_MAX_OUTPUT = 64 * 1024 * 1024;
const SERVICE_ACCOUNT_ISSUER = 'https://kubernetes.default.svc';

export interface ControlPlaneOptions {
  /** Garbage collection, ReplicaSets and default ServiceAccounts need it; it costs 2 s and 100 MB. */
  controllerManager?: boolean;
  /** Default: everything at level Metadata, once, when it is complete. */
  auditPolicy?: object;
}

/** Who a kubeconfig speaks as: a user by certificate, or the bearer of a token. */
export type Identity = { user: string; groups?: readonly string[] } | { token: string };

export interface KubectlResult {
  stdout: string;
  stderr: string;
  code: number;
}

/** A real etcd and kube-apiserver, alone on this machine's loopback. */
export interface ControlPlane {
  apiServerUrl: string;
  /** The authority of the API server's certificate, PEM. */
  caData: string;
  /** Path of a kubeconfig for a cluster administrator. */
  kubeconfig: string;
  /** Path of the kubectl binary, for calls that run on, such as `get --watch`. */
  kubectlPath: string;
  /** Writes a kubeconfig for someone else and returns its path. */
  kubeconfigFor(identity: Identity): Promise<string>;
  /** Runs kubectl as administrator, or with another kubeconfig. Never throws for an exit code: look at `code`. */
  kubectl(args: readonly string[], options?: { stdin?: string; kubeconfig?: string }): Promise<KubectlResult>;
  /** SIGKILL, as a crash would. */
  killApiServer(): Promise<void>;
  /** Starts it again on the same port, data, certificates and keys; resolves when it is ready. */
  startApiServer(): Promise<void>;
  /** What was asked of the API server so far, in order. */
  auditLog(): AuditEvent[];
  stop(): Promise<void>;
}

export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = await controlPlaneBinaries();
  const authority = await createCertificateAuthority();
  const workspace = createWorkspace('understudy-control-plane-');
  const [etcdPort, etcdPeerPort, apiServerPort] = [await freePort(), await freePort(), await freePort()];
  const apiServerUrl = `https://127.0.0.1:${apiServerPort}`;

  const server = await authority.serverPair();
  const files = {
    ca: workspace.write('ca.crt', authority.certificate),
    serverCertificate: workspace.write('apiserver.crt', server.certificate),
    serverKey: workspace.write('apiserver.key', server.key),
    ...writeServiceAccountKeys(workspace.write),
    auditPolicy: workspace.write('audit-policy.json', JSON.stringify(options.auditPolicy ?? DEFAULT_AUDIT_POLICY)),
    auditLog: workspace.write('audit.log', ''),
  };

  const admin = await authority.clientPair('admin', ['system:masters']);
  const writeKubeconfig = (name: string, user: object) =>
    workspace.write(name, JSON.stringify(kubeconfigDocument(apiServerUrl, authority.certificate, user), null, 2));
  const kubeconfig = writeKubeconfig('admin.kubeconfig', certificateUser(admin));

  const running: RunningProcess[] = [];
  let apiServer: RunningProcess | undefined;
  let kubeconfigs = 0;

  const get = (path: string) => statusOf(`${apiServerUrl}${path}`, authority.certificate, admin);

  async function startApiServer(): Promise<void> {
    if (apiServer !== undefined && !apiServer.hasExited()) throw new Error('kube-apiserver runs already');
    apiServer = workspace.start('kube-apiserver', binaries.kubeApiserver, [
      `--etcd-servers=http://127.0.0.1:${etcdPort}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      '--endpoint-reconciler-type=none', // The Endpoints of a Service may not be on the loopback.
      `--secure-port=${apiServerPort}`,
      `--tls-cert-file=${files.serverCertificate}`,
      `--tls-private-key-file=${files.serverKey}`,
      `--client-ca-file=${files.ca}`,
      '--authorization-mode=Node,RBAC',
      '--service-cluster-ip-range=10.96.0.0/16',
      `--service-account-issuer=${SERVICE_ACCOUNT_ISSUER}`,
      `--service-account-key-file=${files.serviceAccountPublicKey}`,
      `--service-account-signing-key-file=${files.serviceAccountPrivateKey}`,
      `--audit-policy-file=${files.auditPolicy}`,
      `--audit-log-path=${files.auditLog}`,
      // Nobody makes the default ServiceAccount then, and pods without one would be refused.
      ...(options.controllerManager ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ]);
    await untilReady('kube-apiserver', apiServer, async () => (await get('/readyz')) === 200);
  }

  async function stop(): Promise<void> {
    await apiServer?.kill();
    await Promise.all(running.map((one) => one.kill())); // Nothing is worth saving.
    workspace.remove();
  }

  try {
    const etcd = workspace.start('etcd', binaries.etcd, [
      `--data-dir=${workspace.path('etcd')}`,
      `--listen-client-urls=http://127.0.0.1:${etcdPort}`,
      `--advertise-client-urls=http://127.0.0.1:${etcdPort}`,
      `--listen-peer-urls=http://127.0.0.1:${etcdPeerPort}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${etcdPeerPort}`,
      `--initial-cluster=default=http://127.0.0.1:${etcdPeerPort}`,
      '--unsafe-no-fsync',
    ]);
    running.push(etcd);
    await untilReady('etcd', etcd, async () => (await fetch(`http://127.0.0.1:${etcdPort}/health`)).ok);
    await startApiServer();
    if (options.controllerManager) {
      const controllerManager = workspace.start('kube-controller-manager', binaries.kubeControllerManager, [
        `--kubeconfig=${kubeconfig}`,
        `--authentication-kubeconfig=${kubeconfig}`,
        `--authorization-kubeconfig=${kubeconfig}`,
        '--bind-address=127.0.0.1',
        `--secure-port=${await freePort()}`,
        `--cert-dir=${workspace.path('controller-manager')}`,
        '--leader-elect=false',
        `--service-account-private-key-file=${files.serviceAccountPrivateKey}`,
        `--root-ca-file=${files.ca}`,
        '--use-service-account-credentials',
      ]);
      running.push(controllerManager);
      const serviceAccount = '/api/v1/namespaces/default/serviceaccounts/default';
      await untilReady('kube-controller-manager', controllerManager, async () => (await get(serviceAccount)) === 200);
    }
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    apiServerUrl,
    caData: authority.certificate,
    kubeconfig,
    kubectlPath: binaries.kubectl,
    async kubeconfigFor(identity) {
      const user =
        'token' in identity ? identity : certificateUser(await authority.clientPair(identity.user, identity.groups ?? []));
      kubeconfigs += 1;
      return writeKubeconfig(`user-${kubeconfigs}.kubeconfig`, user);
    },
    kubectl: (args, call = {}) =>
      runKubectl(binaries.kubectl, args, call.stdin, {
        KUBECONFIG: call.kubeconfig ?? kubeconfig,
        KUBECACHEDIR: workspace.path('kubectl-cache'), // What the user's kubectl knows of other clusters must not leak in.
        HOME: workspace.directory,
      }),
    async killApiServer() {
      await apiServer?.kill();
    },
    startApiServer,
    auditLog: () => readAuditLog(readFileSync(files.auditLog, 'utf8')),
    stop,
  };
}

function writeServiceAccountKeys(write: (name: string, content: string) => string) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return {
    serviceAccountPrivateKey: write('service-account.key', privateKey),
    serviceAccountPublicKey: write('service-account.pub', publicKey),
  };
}

function certificateUser(pair: KeyPair) {
  return { 'client-certificate-data': base64(pair.certificate), 'client-key-data': base64(pair.key) };
}

function kubeconfigDocument(server: string, ca: string, user: object) {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: 'default' } }],
    'current-context': 'test',
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The status code of a GET, with a connection of its own: nothing is kept alive over a restart of the server. */
function statusOf(url: string, ca: string, user: KeyPair): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(url, { ca, cert: user.certificate, key: user.key, agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    call.once('timeout', () => call.destroy(new Error('timeout')));
    call.once('error', reject);
    call.end();
  });
}

async function untilReady(name: string, process: RunningProcess, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    if (await isReady().catch(() => false)) return; // Refused connections are what "not yet" looks like.
    if (process.hasExited()) throw new Error(`${name} ended before it was ready:\n${process.logTail()}`);
    if (Date.now() > deadline) throw new Error(`${name} is not ready after ${READY_WITHIN_MS} ms:\n${process.logTail()}`);
    await sleep(READY_POLL_MS);
  }
}

function runKubectl(
  path: string,
  args: readonly string[],
  stdin: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<KubectlResult> {
  return new Promise((resolve, reject) => {
    const limits = { timeout: KUBECTL_TIMEOUT_MS, maxBuffer: KUBECTL_MAX_OUTPUT, killSignal: 'SIGKILL' as const };
    const child = execFile(path, args, { env: { PATH: process.env.PATH, ...env }, ...limits }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(new Error(`kubectl ${args.join(' ')}`, { cause: error }));
      else resolve({ stdout, stderr, code: error === null ? 0 : Number(error.code) });
    });
    child.stdin?.on('error', () => {}); // kubectl may end without reading: its exit code tells why.
    child.stdin?.end(stdin ?? '');
  });
}
