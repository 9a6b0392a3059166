import { crc32 as zlibCrc32 } from 'node:zlib';
