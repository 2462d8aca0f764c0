import { type RuntimeConfig, runtimeConfig, targetId } from '../../contract/runtime-config.ts';
import { ConfigRefusedError } from './config-refused-error.ts';

/** Problems that are named before the rest is only counted. */
const NAMED_PROBLEMS = 3;

/** Validates a config and what it refers to. Throws `ConfigRefusedError` that names the field. */
export function checkConfig(candidate: unknown): RuntimeConfig {
  const parsed = runtimeConfig.safeParse(candidate);
  const revision = revisionOf(candidate);
  if (!parsed.success) {
    const { issues } = parsed.error;
    const named = issues.slice(0, NAMED_PROBLEMS).map(({ path, message }) => `${path.join('.') || 'config'}: ${message}`);
    const more = issues.length > NAMED_PROBLEMS ? `, and ${issues.length - NAMED_PROBLEMS} more` : '';
    throw new ConfigRefusedError(`the config is not valid: ${named.join('; ')}${more}`, revision, parsed.error);
  }
  const config = parsed.data;
  const refuseIf = (isWrong: boolean, problem: () => string) => {
    if (isWrong) throw new ConfigRefusedError(problem(), revision);
  };
  for (const [index, { name, regions }] of config.endpoints.entries()) {
    const first = config.endpoints.findIndex((endpoint) => endpoint.name === name);
    refuseIf(first !== index, () => `endpoints.${index}: ${name} is there already, as endpoints.${first}`);
    for (const [position, { baseURL }] of regions.entries())
      refuseIf(!/^https?:/i.test(baseURL), () => `endpoints.${index}.regions.${position}: the base URL is not http or https`);
  }
  for (const [index, route] of config.routes.entries()) {
    const first = config.routes.findIndex(({ name }) => name === route.name);
    refuseIf(first !== index, () => `routes.${index}: ${route.name} is there already, as routes.${first}`);
    for (const [position, target] of route.targets.entries()) {
      const endpoint = config.endpoints.find(({ name }) => name === target.endpoint);
      const where = `routes.${index}.targets.${position}`;
      refuseIf(endpoint === undefined, () => `${where}: endpoint ${target.endpoint} is not in the config`);
      const hasRegion = endpoint?.regions.some(({ name }) => name === target.region) ?? false;
      refuseIf(!hasRegion, () => `${where}: region ${target.region} is not in endpoint ${target.endpoint}`);
      const id = targetId(target.endpoint, target.region, target.model);
      refuseIf(target.id !== id, () => `${where}: its id is ${target.id}, and its parts say ${id}`);
      const same = route.targets.findIndex((other) => other.id === id);
      refuseIf(same !== position, () => `${where}: ${id} is there already, as target ${same}`);
    }
  }
  return config;
}

function revisionOf(candidate: unknown): string | undefined {
  const revision = (candidate as { revision?: unknown } | null | undefined)?.revision;
  return typeof revision === 'string' ? revision : undefined;
}
