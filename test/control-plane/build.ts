/** `node test/control-plane/build.ts`: has the binaries ready before tests begin, so that no test waits for a compiler. */
import { controlPlaneBinaries } from './binaries.ts';

const binaries = await controlPlaneBinaries().catch((error: Error) => {
  console.error(`control plane: ${error.message}`);
  process.exit(1);
});
for (const path of Object.values(binaries)) console.log(`control plane: ${path}`);
