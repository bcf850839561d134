/** A net that its authors publish, by the git ids of its files. */
export interface PublishedNet {
  /** Folder that the files are found in. */
  url: string;
  files: readonly { name: string; blobId: string; weights?: boolean }[];
}

const squeezeNet = 'https://raw.githubusercontent.com/forresti/SqueezeNet/master';

/** What `ristretto fetch` knows, one row each. */
export const publishedNets: Readonly<Record<string, PublishedNet>> = {
  'squeezenet_v1.0': {
    url: `${squeezeNet}/SqueezeNet_v1.0`,
    files: [
      { name: 'deploy.prototxt', blobId: 'f43073007c157c266e75b08479c9944c32272db7' },
      { name: 'train_val.prototxt', blobId: '15f077bcef89b53b2c91f1dc9d73dcff67ffa8df' },
      {
        name: 'squeezenet_v1.0.caffemodel',
        blobId: 'a381d848b43d7048c3b362238ece2386c21d6ff0',
        weights: true,
      },
    ],
  },
  'squeezenet_v1.1': {
    url: `${squeezeNet}/SqueezeNet_v1.1`,
    files: [
      { name: 'deploy.prototxt', blobId: '8295b13fa640bf30c5d19e066ef08b6d4219efd7' },
      { name: 'train_val.prototxt', blobId: '6a1c47805c504be5ee657c4dfaf246c820e088f3' },
      {
        name: 'squeezenet_v1.1.caffemodel',
        blobId: '9d2fc33abf653a6e8b2ee6cc63ede0e72ec67f44',
        weights: true,
      },
    ],
  },
};
