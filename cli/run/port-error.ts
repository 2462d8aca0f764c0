import { CliError } from '../cli-error.ts';
import { formatAddress, type RunOptions } from './run-options.ts';

/** Why an address can't be listened on, with the way out. Anything else comes back as it is. */
export function portError(error: unknown, { listen, admin }: Pick<RunOptions, 'listen' | 'admin'>): unknown {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  const [option, address] = port === admin.port ? (['--admin', admin] as const) : (['--listen', listen] as const);
  const where = formatAddress(address);
  const other = `${option} ${formatAddress({ ...address, port: address.port + 1 })}`;
  switch (code) {
    case 'EADDRINUSE':
      return new CliError(
        'PORT_IN_USE',
        `${where} is in use by another program: end that one, or listen elsewhere with ${other}`,
        {
          cause: error,
        },
      );
    case 'EACCES':
      return new CliError(
        'PORT_REFUSED',
        `listening on ${where} is not allowed: take a port above 1023 with ${option} 127.0.0.1:8080`,
        {
          cause: error,
        },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new CliError(
        'NO_SUCH_ADDRESS',
        `${where} is no address of this machine: take one that is with ${option} 127.0.0.1:${address.port}`,
        {
          cause: error,
        },
      );
    default:
      return error;
  }
}
