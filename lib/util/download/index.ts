export { download, type DownloadOptions, type DownloadResult } from './download.js';
