//! All networks and the pipelines made of them: `models.json`, compiled in, and one's own.
//!
//! Another network is another entry and no new code.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use crate::assets::Assets;
use crate::model::{DetectorModel, EmbeddingModel, LandmarkModel, PipelineModels};
use crate::pipeline::PipelineError;

const BUILT_IN: &str = include_str!("../models.json");

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Catalogue {
    detectors: BTreeMap<String, DetectorModel>,
    landmarks: BTreeMap<String, LandmarkModel>,
    embeddings: BTreeMap<String, EmbeddingModel>,
    pipelines: BTreeMap<String, PipelineEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PipelineEntry {
    detector: String,
    landmarks: String,
    embedding: String,
}

/// The networks of the pipeline called `name`.
///
/// A file `models.json` among the assets adds entries, or replaces those of the same name.
pub(crate) fn find(assets: &Assets, name: &str) -> Result<PipelineModels, PipelineError> {
    let mut catalogue = Catalogue::parse(BUILT_IN, Path::new("models.json"))?;
    let own = assets.file("models.json");
    match std::fs::read_to_string(&own) {
        Ok(text) => catalogue.extend(Catalogue::parse(&text, &own)?),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(source) => return Err(PipelineError::Read { path: own, source }),
    }
    catalogue.pipeline(name)
}

impl Catalogue {
    fn parse(text: &str, path: &Path) -> Result<Self, PipelineError> {
        serde_json::from_str(text).map_err(|error| PipelineError::Manifest {
            path: path.to_owned(),
            detail: error.to_string(),
        })
    }

    fn extend(&mut self, other: Self) {
        self.detectors.extend(other.detectors);
        self.landmarks.extend(other.landmarks);
        self.embeddings.extend(other.embeddings);
        self.pipelines.extend(other.pipelines);
    }

    fn pipeline(&self, name: &str) -> Result<PipelineModels, PipelineError> {
        let entry = pick(&self.pipelines, "model", name)?;
        Ok(PipelineModels {
            detector: pick(&self.detectors, "detector", &entry.detector)?.clone(),
            landmarks: pick(&self.landmarks, "landmark network", &entry.landmarks)?.clone(),
            embedding: pick(&self.embeddings, "embedding network", &entry.embedding)?.clone(),
        })
    }
}

fn pick<'a, T>(
    entries: &'a BTreeMap<String, T>,
    kind: &'static str,
    name: &str,
) -> Result<&'a T, PipelineError> {
    entries.get(name).ok_or_else(|| PipelineError::UnknownModel {
        kind,
        name: name.to_owned(),
        known: entries.keys().cloned().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Crop, Values};

    fn find_beside(own: &str, name: &str) -> Result<PipelineModels, PipelineError> {
        let assets = tempfile::tempdir().unwrap();
        std::fs::write(assets.path().join("models.json"), own).unwrap();
        find(&Assets::new(assets.path()), name)
    }

    #[test]
    fn every_pipeline_is_whole() {
        let catalogue = Catalogue::parse(BUILT_IN, Path::new("models.json")).unwrap();
        for name in ["default", "facenet", "sface", "arcface", "own"] {
            assert!(catalogue.pipelines.contains_key(name), "{name}");
        }
        for name in catalogue.pipelines.keys() {
            let models = catalogue.pipeline(name).unwrap();
            assert!(models.embedding.dimension > 0);
            let points = models.landmarks.five_points.iter().flatten();
            assert!(points.copied().all(|point| point < models.landmarks.points));
        }
    }

    /// A gallery of one that everybody can fetch needs no calibration.
    #[test]
    fn every_network_that_is_fetched_has_a_curve() {
        let catalogue = Catalogue::parse(BUILT_IN, Path::new("models.json")).unwrap();
        let fetched = catalogue.embeddings.iter().filter(|(_, it)| it.network.sha256.is_some());
        let curves: Vec<_> =
            fetched.map(|(name, it)| (name.as_str(), it.similarity.is_some())).collect();
        assert_eq!(curves, [("fr_feature", true), ("sface", true)]);
    }

    #[test]
    fn facenet_is_as_its_authors_use_it() {
        let facenet = find(&Assets::new("nowhere"), "facenet").unwrap().embedding;
        let input = &facenet.network.input;
        assert_eq!((input.width, input.height, facenet.dimension), (160, 160, 512));
        assert_eq!(input.values, Values::PerImage);
        assert!(matches!(facenet.crop, Crop::Box { .. }));
        assert_eq!(facenet.network.sha256, None, "a file that we never had has no known hash");
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let message = find(&Assets::new("nowhere"), "nobody").unwrap_err().to_string();
        assert!(message.contains("no model is called `nobody`"), "{message}");
        assert!(message.contains("default, facenet"), "{message}");
    }

    #[test]
    fn ones_own_entries_are_added_and_replace() {
        let pipelines = r#"{"pipelines": {
            "mine": {"detector": "fr_detect", "landmarks": "fr_landmark", "embedding": "sface"},
            "default": {"detector": "fr_detect", "landmarks": "fr_landmark", "embedding": "own"},
            "half": {"detector": "fr_detect", "landmarks": "fr_landmark", "embedding": "none"}
        }}"#;
        assert_eq!(find_beside(pipelines, "mine").unwrap().embedding.dimension, 128);
        let replaced = find_beside(pipelines, "default").unwrap();
        assert_eq!(replaced.embedding.network.file, "models/own.onnx");
        let message = find_beside(pipelines, "half").unwrap_err().to_string();
        assert!(message.contains("no embedding network is called `none`"), "{message}");
    }

    #[test]
    fn a_broken_file_of_ones_own_is_named() {
        for broken in ["{", r#"{"embedding": {}}"#, r#"{"embeddings": {"x": {"dimension": 3}}}"#] {
            let error = find_beside(broken, "default").unwrap_err();
            assert!(matches!(&error, PipelineError::Manifest { path, .. } if path.is_absolute()));
            assert!(error.to_string().contains("models.json is wrong: "), "{error}");
        }
    }
}
