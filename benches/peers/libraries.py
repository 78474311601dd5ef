"""The libraries that come as Python packages, each as one class: build, open, search.

Vectors and queries have unit length, so the metrics give one order. M = 16 (32 links on the lowest
layer) and efConstruction = 200 where there are such parameters. Everything on one thread.

`package` is the imported `module`. `search` gets all queries and answers one after the other: where a
library does that itself when it gets a table of them, Python costs it nothing. `settings` are what is
turned for more recall, in the order of rising cost.
"""

import json
import os

import numpy

EFS = (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896, 1280)
M = 16
EF_CONSTRUCTION = 200


class Hnswlib:
    module = "hnswlib"
    settings = EFS

    def build(self, base, directory):
        index = self.package.Index("ip", base.shape[1])
        index.init_index(len(base), M=M, ef_construction=EF_CONSTRUCTION)
        index.add_items(base, num_threads=1)
        index.save_index(f"{directory}/index")

    def open(self, directory, dimension):
        self.index = self.package.Index("ip", dimension)
        self.index.load_index(f"{directory}/index")
        self.index.set_num_threads(1)

    def search(self, queries, k, ef):
        self.index.set_ef(max(ef, k))
        return self.index.knn_query(queries, k, num_threads=1)[0]


class Usearch:
    module = "usearch.index"
    settings = EFS

    def build(self, base, directory):
        index = self.package.Index(ndim=base.shape[1], metric="ip", dtype="f32",
                                   connectivity=M, expansion_add=EF_CONSTRUCTION)
        index.add(numpy.arange(len(base)), base, threads=1)
        index.save(f"{directory}/index")

    def open(self, directory, dimension):
        self.index = self.package.Index.restore(f"{directory}/index", view=True)

    def search(self, queries, k, ef):
        self.index.expansion_search = ef
        return self.index.search(queries, k, threads=1).keys


class Faiss:
    module = "faiss"

    def build(self, base, directory):
        self.package.omp_set_num_threads(1)
        index = self.index_of(base)
        index.train(base)
        index.add(base)
        self.package.write_index(index, f"{directory}/index")

    def open(self, directory, dimension):
        self.package.omp_set_num_threads(1)
        self.index = self.package.read_index(f"{directory}/index")


class FaissHnsw(Faiss):
    settings = EFS

    def index_of(self, base):
        index = self.package.IndexHNSWFlat(base.shape[1], M)
        index.hnsw.efConstruction = EF_CONSTRUCTION
        return index

    def search(self, queries, k, ef):
        self.index.hnsw.efSearch = ef
        return self.index.search(queries, k)[1]


class FaissIvfPqFs(Faiss):
    """Lists of 4-bit codes, the best re-ranked from full vectors: (lists read, re-ranked / k)."""

    settings = tuple((lists, factor) for lists in (1, 2, 4, 8, 16, 32, 64, 128, 256)
                     for factor in (4, 16, 64))

    def index_of(self, base):
        lists = 1 << (len(base) // 100).bit_length()  # 50 to 100 vectors in each
        codes = base.shape[1] // 2
        return self.package.index_factory(base.shape[1], f"IVF{lists},PQ{codes}x4fs,RFlat")

    def search(self, queries, k, setting):
        lists, factor = setting
        parameters = self.package.IndexRefineSearchParameters(
            k_factor=factor, base_index_params=self.package.SearchParametersIVF(nprobe=lists))
        # One by one: given many, it would work on several at once.
        return [self.index.search(query[None], k, params=parameters)[1][0] for query in queries]


class SymphonyQg:
    module = "rabitqlib"
    settings = EFS

    def build(self, base, directory):
        index = self.package.SymqgIndex(base.shape[1], 2 * M, "l2")
        index.build(base, EF_CONSTRUCTION, num_threads=1)
        index.save(f"{directory}/index")

    def open(self, directory, dimension):
        self.index = self.package.SymqgIndex.load(f"{directory}/index")

    def search(self, queries, k, ef):
        return self.index.search(queries, k, ef, num_threads=1)[0]


class Svs:
    """Intel's Vamana graph over LVQ codes, 4 bits and 8 of the rest."""

    module = "svs"
    settings = EFS

    def build(self, base, directory):
        svs, vectors = self.package, f"{directory}/base.fvecs"
        svs.write_vecs(base, vectors)
        codes = svs.LVQLoader(svs.VectorDataLoader(vectors, svs.float32, dims=base.shape[1]), 4, 8)
        parameters = svs.VamanaBuildParameters(
            alpha=1.2, graph_max_degree=2 * M, window_size=EF_CONSTRUCTION)
        index = svs.Vamana.build(parameters, codes, svs.DistanceType.L2, num_threads=1)
        index.save(*(f"{directory}/{part}" for part in ("config", "graph", "data")))
        os.remove(vectors)

    def open(self, directory, dimension):
        svs = self.package
        config, graph, data = (f"{directory}/{part}" for part in ("config", "graph", "data"))
        self.index = svs.Vamana(
            config, svs.GraphLoader(graph), svs.LVQLoader(data), svs.DistanceType.L2)

    def search(self, queries, k, ef):
        self.index.search_window_size = ef
        return self.index.search(queries, k)[0]


class Vsag:
    """A graph over 8-bit codes, the best re-ranked from full vectors."""

    module = "pyvsag"
    settings = EFS[:-1]  # it takes no ef above 1,000

    def index_of(self, dimension):
        self.package.set_logger_off()
        return self.package.Index("hgraph", json.dumps({
            "dtype": "float32", "metric_type": "l2", "dim": dimension,
            "index_param": {
                "base_quantization_type": "sq8", "use_reorder": True,
                "precise_quantization_type": "fp32", "max_degree": 2 * M,
                "ef_construction": EF_CONSTRUCTION, "build_thread_count": 1}}))

    def build(self, base, directory):
        index = self.index_of(base.shape[1])
        index.build(base.ravel(), numpy.arange(len(base)), len(base), base.shape[1])
        index.save(f"{directory}/index")

    def open(self, directory, dimension):
        self.index = self.index_of(dimension)
        self.index.load(f"{directory}/index")

    def search(self, queries, k, ef):
        parameters = json.dumps({"hgraph": {"ef_search": ef}})
        return [self.index.knn_search(query, k, parameters)[0] for query in queries]


LIBRARIES = {
    "hnswlib": Hnswlib,
    "usearch": Usearch,
    "faiss-hnsw": FaissHnsw,
    "faiss-ivfpqfs": FaissIvfPqFs,
    "symphonyqg": SymphonyQg,
    "svs": Svs,
    "vsag": Vsag,
}
