import { execFile, spawn } from 'node:child_process';
import { access, constants, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Each binary of the control plane, with the Go package that it is built from. */
const PACKAGES = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
} as const;
type BinaryName = keyof typeof PACKAGES;

/** Paths of the binaries that a control plane consists of. */
export interface ControlPlaneBinaries {
  etcd: string;
  kubeApiserver: string;
  kubeControllerManager: string;
  kubectl: string;
}

/** Another process may be building: 8 minutes cold on two cores, so four times that. */
const LOCK_WAIT_MS = 32 * 60_000;
const LOCK_POLL_MS = 500;

const MODULE_DIRECTORY = import.meta.dirname;
const run = promisify(execFile);

/**
 * Finds the binaries in `KUBEBUILDER_ASSETS`, else in the cache outside the checkout, else builds them into that cache.
 * Each is looked for by itself: the assets of envtest, for example, have no kube-controller-manager.
 */
export async function controlPlaneBinaries(log: (line: string) => void = logToStderr): Promise<ControlPlaneBinaries> {
  const versions = await readVersions();
  const cache = cacheDirectory(versions);
  const find = async (name: BinaryName) => (await findBinary(name, cache)) ?? (await build(name, cache, versions, log));
  return {
    etcd: await find('etcd'),
    kubeApiserver: await find('kube-apiserver'),
    kubeControllerManager: await find('kube-controller-manager'),
    kubectl: await find('kubectl'),
  };
}

function logToStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}

interface Versions {
  go: string;
  kubernetes: string;
  etcd: string;
}

async function readVersions(): Promise<Versions> {
  const goMod = await readFile(join(MODULE_DIRECTORY, 'go.mod'), 'utf8');
  const read = (pattern: RegExp) => {
    const found = pattern.exec(goMod)?.[1];
    if (found === undefined) throw new Error(`test/control-plane/go.mod: nothing matches ${pattern}`);
    return found;
  };
  return {
    go: read(/^go (\S+)$/m),
    kubernetes: read(/^\s*k8s\.io\/kubernetes (v\S+)/m),
    etcd: read(/^\s*go\.etcd\.io\/etcd\/server\/v3 (v\S+)/m),
  };
}

function cacheDirectory(versions: Versions): string {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(caches, 'understudy', 'control-plane', `kubernetes-${versions.kubernetes}-etcd-${versions.etcd}`);
}

async function findBinary(name: BinaryName, cache: string): Promise<string | undefined> {
  const assets = process.env.KUBEBUILDER_ASSETS;
  for (const directory of assets ? [assets, cache] : [cache]) {
    const path = join(directory, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function build(name: BinaryName, cache: string, versions: Versions, log: (line: string) => void): Promise<string> {
  await requireGo(versions.go, name);
  await mkdir(cache, { recursive: true });
  return withLock(join(cache, '.building'), async () => {
    const path = join(cache, name);
    if (await isExecutable(path)) return path; // Another process has built it while this one waited.
    const began = Date.now();
    log(`control plane: building ${name} from source (once; kept in ${cache}) …`);
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      await goBuild(PACKAGES[name], temporary, versions.kubernetes);
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
    log(`control plane: built ${name} in ${Math.round((Date.now() - began) / 1_000)} s`);
    return path;
  });
}

async function requireGo(wanted: string, name: BinaryName): Promise<void> {
  const wayOut =
    `install Go ${wanted} or newer (https://go.dev/dl/), or set KUBEBUILDER_ASSETS to a directory that holds ${name} ` +
    '(for example from `setup-envtest use -p path`)';
  const { stdout } = await run('go', ['env', 'GOVERSION'], {
    env: { ...process.env, GOTOOLCHAIN: 'local' },
    cwd: homedir(),
  }).catch((cause: unknown) => {
    throw new Error(`${name} has to be built and Go was not found: ${wayOut}`, { cause });
  });
  const [major = 0, minor = 0] = numbers(stdout.replace('go', ''));
  const [wantedMajor = 0, wantedMinor = 0] = numbers(wanted);
  if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
    throw new Error(`${name} has to be built and Go is ${stdout.trim()}: ${wayOut}`);
  }
}

function numbers(version: string): number[] {
  return version.trim().split('.').map(Number);
}

/** Builds one package of this module. Without the version flags, kube-apiserver calls itself v0.0.0 and clients refuse it. */
async function goBuild(goPackage: string, output: string, kubernetes: string): Promise<void> {
  const [major, minor] = kubernetes.slice(1).split('.');
  const set = (variable: string, value: string | undefined) => `-X k8s.io/component-base/version.${variable}=${value}`;
  const flags = ['-s -w', set('gitVersion', kubernetes), set('gitMajor', major), set('gitMinor', minor)].join(' ');
  const child = spawn('go', ['build', '-mod=readonly', '-trimpath', '-ldflags', flags, '-o', output, goPackage], {
    cwd: MODULE_DIRECTORY,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve));
  if (code !== 0) throw new Error(`go build ${goPackage} ended with ${code}: see its output above`);
}

/** Runs `work` while holding a lock file with this process's id. A lock whose process is gone is taken over. */
async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + LOCK_WAIT_MS;
  while (!(await takeLock(path))) {
    if (Date.now() > deadline) throw new Error(`another process holds ${path} for too long: remove it if none is building`);
    await sleep(LOCK_POLL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function takeLock(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = Number(await readFile(path, 'utf8').catch(() => ''));
  if (holder > 0 && !isAlive(holder)) await rm(path, { force: true });
  return false;
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
