import type { ControlPlane } from '../control-plane/control-plane.ts';

/** Applies CRDs and waits until their kinds are served. */
export async function installDefinitions(controlPlane: ControlPlane, file: string): Promise<void> {
  for (const args of [
    ['apply', '-f', file],
    ['wait', '--for=condition=Established', '--timeout=30s', '-f', file],
  ]) {
    const { code, stderr } = await controlPlane.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  }
}
