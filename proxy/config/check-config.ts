import { type RuntimeConfig, runtimeConfig } from '../../contract/runtime-config.ts';
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
  for (const [index, route] of config.routes.entries()) {
    for (const [position, target] of route.targets.entries()) {
      const endpoint = config.endpoints.find(({ name }) => name === target.endpoint);
      const where = `routes.${index}.targets.${position}`;
      if (endpoint === undefined)
        throw new ConfigRefusedError(`${where}: endpoint ${target.endpoint} is not in the config`, revision);
      if (!endpoint.regions.some(({ name }) => name === target.region)) {
        throw new ConfigRefusedError(`${where}: region ${target.region} is not in endpoint ${target.endpoint}`, revision);
      }
    }
  }
  return config;
}

function revisionOf(candidate: unknown): string | undefined {
  const revision = (candidate as { revision?: unknown } | null | undefined)?.revision;
  return typeof revision === 'string' ? revision : undefined;
}
