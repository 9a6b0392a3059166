import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));

const execute = promisify(execFile);

/** How a program ended, and what it said. */
export interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A project of somebody else, in a folder of its own, that has installed evenkeel from its tarball. */
export class Consumer implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Packs what is in dist (which `npm test` has built) and installs it as anybody would. */
  static async install(): Promise<Consumer> {
    const consumer = new Consumer(await mkdtemp(join(tmpdir(), 'evenkeel-consumer-')));
    await consumer.write('package.json', JSON.stringify({ private: true }));
    await execute('npm', ['pack', '--ignore-scripts', '--pack-destination', consumer.folder], { cwd: root });
    const [tarball] = (await readdir(consumer.folder)).filter((file) => file.endsWith('.tgz'));
    await execute('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`], {
      cwd: consumer.folder,
    });
    return consumer;
  }

  /** Writes a file of the project. */
  async write(file: string, text: string): Promise<void> {
    const path = join(this.folder, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }

  /** Runs a program of the project, given as the text of a file. */
  async run(file: string, text: string): Promise<Ending> {
    await this.write(file, text);
    return ending([file], this.folder);
  }

  /** Compiles a project within the project with the repository's TypeScript; `code` is 0 where there is no error. */
  async compile(project: string, compilerOptions: object, files: Readonly<Record<string, string>>): Promise<Ending> {
    const config = { compilerOptions, files: Object.keys(files).filter((file) => !file.endsWith('.json')) };
    await this.write(join(project, 'tsconfig.json'), JSON.stringify(config));
    for (const [file, text] of Object.entries(files)) await this.write(join(project, file), text);
    return ending([join(root, 'node_modules/typescript/bin/tsc'), '-p', project], this.folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** How node ends with these arguments. */
async function ending(args: readonly string[], cwd: string): Promise<Ending> {
  try {
    return { code: 0, ...(await execute(process.execPath, args, { cwd, timeout: 30_000 })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Ending;
    return { code, stdout, stderr };
  }
}
