export { download, partOf, type DownloadOptions, type DownloadResult } from './download.js';
