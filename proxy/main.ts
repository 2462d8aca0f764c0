import { once } from 'node:events';
import pino from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createConfigFile } from './config/config-file.ts';
import { createCredentialFiles } from './config/credential-files.ts';
import { createProxy } from './create-proxy.ts';
import { createFleetClient } from './fleet/fleet-client.ts';
import { PROXY_HELP, readProxyFlags } from './proxy-options.ts';

/** Starts the proxy of a namespace and runs it until SIGTERM. Resolves with the exit code. */
export async function runProxy(argv: readonly string[]): Promise<number> {
  let flags: ReturnType<typeof readProxyFlags>;
  try {
    flags = readProxyFlags(argv, process.env);
  } catch (error) {
    process.stderr.write(`understudy proxy: ${(error as Error).message}\n`);
    return 2;
  }
  if (flags === 'help') {
    process.stdout.write(PROXY_HELP);
    return 0;
  }
  const logger = pino({ level: flags.logLevel, base: { component: 'proxy', proxy: flags.name, namespace: flags.namespace } });
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const credentials = createCredentialFiles({ directory: flags.credentials, logger });
  const proxy = createProxy({ name: flags.name, listen: flags.listen, admin: flags.admin, credentials, logger, registry });
  const channel = createFleetClient({
    proxy,
    url: flags.operator,
    namespace: flags.namespace,
    caFile: flags.operatorCa,
    tokenFile: flags.token,
    logger,
  });
  const configFile = createConfigFile({ path: flags.config, proxy, channel, logger });

  const told = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  const addresses = await proxy.start();
  logger.info(addresses, 'listening');
  // The last known good config first: requests are served while the operator is still away.
  configFile.start();
  channel.start();

  await told;
  logger.info({ graceMs: flags.drainMs }, 'told to stop: not ready any more, finishing what runs');
  await proxy.drain(flags.drainMs);
  configFile.stop();
  await channel.stop();
  credentials.close();
  logger.info('stopped');
  return 0;
}
