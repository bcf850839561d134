# The CPU addon for those who build with node-gyp; cmake-js (CMakeLists.txt) is the usual way.
{
  "variables": {
    "lmdb%": "<!(node -p \"['third_party/lmdb','node_modules/node-lmdb/dependencies/lmdb/libraries/liblmdb'].find(f=>require('fs').existsSync(f+'/mdb.c'))||''\")"
  },
  "targets": [
    {
      "target_name": "ristretto",
      "sources": [
        "<!@(node -p \"const f=require('fs'),w=d=>f.readdirSync(d,{withFileTypes:true}).flatMap(e=>e.isDirectory()?w(d+'/'+e.name):e.name.endsWith('.cpp')?[d+'/'+e.name]:[]);[...w('native/core'),...w('native/bench'),...w('native/binding')].join(' ')\")"
      ],
      "include_dirs": ["native", "native/include", "<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_CPP_EXCEPTIONS_ALL", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags!": ["-fno-exceptions"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
      "cflags_cc": ["-std=c++20", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fvisibility=hidden"],
      "xcode_settings": {
        "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
        "GCC_ENABLE_CPP_RTTI": "YES",
        "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
        "GCC_OPTIMIZATION_LEVEL": "3",
        "OTHER_CPLUSPLUSFLAGS": ["-ffp-contract=off", "-fno-math-errno"],
        "MACOSX_DEPLOYMENT_TARGET": "11.0"
      },
      "conditions": [
        ["lmdb!=''", {
          "sources": ["<(lmdb)/mdb.c", "<(lmdb)/midl.c"],
          "include_dirs": ["<(lmdb)"],
          "cflags": ["-w"]
        }, {
          "libraries": ["-llmdb"]
        }]
      ]
    }
  ]
}
