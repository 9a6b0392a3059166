import { createVip } from 'evenkeel';
import { listen } from 'evenkeel/node';
import { layer4Options } from '../layer4/options.mjs';

/** evenkeel with some of `layer4Options`. Those that this version does not know are left out, and told. */
const [protocol, names, ...ports] = process.argv.slice(2);

function specOf(options) {
  const merged = (part) => Object.assign({}, ...options.map((option) => option[part]));
  const members = ports.map((port) => ({ address: '127.0.0.1', port: Number(port), ...merged('member') }));
  return { address: '127.0.0.1', port: 0, protocol, ...merged('vip'), pool: { members, ...merged('pool') } };
}

function isKnown(option) {
  try {
    createVip(specOf([option]));
    return true;
  } catch (error) {
    if (error.expected?.startsWith('no such field')) return false;
    throw error;
  }
}

const wanted = layer4Options.filter(({ name }) => names.split(',').includes(name));
const on = wanted.filter(isKnown);
const listener = await listen(createVip(specOf(on)));

process.on('disconnect', () => process.exit());
process.send({
  port: listener.address.port,
  order: Object.assign({}, ...on.map(({ order }) => order)),
  unknown: wanted.filter((option) => !on.includes(option)).map(({ name }) => name),
});
