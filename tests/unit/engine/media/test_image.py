"""Pictures of all kinds: upright pixels of the right colours."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from engine.media.image import (
    damage_notice,
    open_picture,
    picture_from_pixels,
    resize_for_model,
    thumbnail_jpeg,
)

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 160, 40), (30, 50, 210), (230, 220, 40)
CORNERS = (RED, GREEN, BLUE, YELLOW)  # top left, top right, bottom left, bottom right

# The engine silences what Pillow warns of; pytest puts filters of its own in place.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "照片 ü"
    inside.mkdir()
    return inside


def quarters(width_px: int = 96, height_px: int = 64) -> Image.Image:
    image = Image.new("RGB", (width_px, height_px))
    half_x, half_y = width_px // 2, height_px // 2
    for index, colour in enumerate(CORNERS):
        image.paste(colour, (index % 2 * half_x, index // 2 * half_y, width_px, height_px))
    return image


def corners(pixels: np.ndarray) -> np.ndarray:
    """The colours in the middle of the four quarters, [4, 3]."""
    height, width = pixels.shape[:2]
    rows, columns = (height // 4, height - 1 - height // 4), (width // 4, width - 1 - width // 4)
    return np.array([pixels[row, column] for row in rows for column in columns]).astype(int)


def assert_corners(
    pixels: np.ndarray, wanted: tuple[tuple[int, int, int], ...] = CORNERS, off: int = 14
) -> None:
    assert np.abs(corners(pixels) - np.array(wanted)).max() <= off, corners(pixels)


# Formats and modes

FORMATS = {
    "a.jpg": ("JPEG", {"quality": 95}),
    "p.jpg": ("JPEG", {"quality": 95, "progressive": True}),
    "a.png": ("PNG", {}),
    "a.webp": ("WEBP", {"quality": 95}),
    "a.gif": ("GIF", {}),
    "a.bmp": ("BMP", {}),
    "a.tif": ("TIFF", {"compression": "tiff_lzw"}),
    "j.tif": ("TIFF", {"compression": "jpeg"}),
    "a.ppm": ("PPM", {}),
    "a.tga": ("TGA", {}),
    "a.jp2": ("JPEG2000", {}),
    "a.avif": ("AVIF", {"quality": 90}),
    "a.heic": ("HEIF", {"quality": 90}),
    "a.pcx": ("PCX", {}),
    "a.ico": ("ICO", {"sizes": [(96, 64)]}),
    "a.sgi": ("SGI", {}),
    "a.qoi": ("QOI", {}),
}


def save(image: Image.Image, path: Path, kind: str, **options: object) -> Path:
    if kind == "HEIF":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    image.save(path, kind, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_picture(folder: Path, name: str) -> None:
    kind, options = FORMATS[name]
    Image.init()
    if kind not in (*Image.SAVE, "HEIF"):
        pytest.skip(f"Pillow here cannot write {kind}")
    picture = open_picture(save(quarters(), folder / name, kind, **options))
    assert picture.info.format == kind
    assert (picture.info.width_px, picture.info.height_px) == (96, 64)
    assert picture.info.bytes == (folder / name).stat().st_size
    assert picture.pixels.shape == (64, 96, 3)
    assert picture.pixels.dtype == np.uint8
    assert_corners(picture.pixels, off=40 if kind in ("GIF", "PCX") else 14)
    assert picture.damage == ""
    assert damage_notice(name, picture) is None


def test_a_wrong_ending_does_not_matter(folder: Path) -> None:
    assert open_picture(save(quarters(), folder / "photo.jpg", "PNG")).info.format == "PNG"
    assert_corners(open_picture(save(quarters(), folder / "photo", "WEBP")).pixels)


def test_cmyk_jpegs_are_not_inverted(folder: Path) -> None:
    picture = open_picture(save(quarters().convert("CMYK"), folder / "a.jpg", "JPEG", quality=95))
    assert picture.info.mode == "CMYK"
    assert_corners(picture.pixels, off=25)
    assert_corners(open_picture(save(quarters().convert("CMYK"), folder / "a.tif", "TIFF")).pixels)


def test_sixteen_bits_are_scaled_not_clipped(folder: Path) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (8, 1))
    for name in ("a.png", "a.tif"):
        Image.fromarray(ramp).save(folder / name)
        pixels = open_picture(folder / name).pixels
        assert np.abs(pixels[4, :, 0].astype(int) - np.arange(256)).max() <= 1, name


def test_twelve_bits_in_sixteen_are_not_black(folder: Path) -> None:
    ramp = np.tile(np.linspace(0, 4095, 256).astype(np.uint16), (8, 1))
    Image.fromarray(ramp).save(folder / "a.tif")
    assert open_picture(folder / "a.tif").pixels.max() == 255


@pytest.mark.parametrize("largest", [1.0, 255.0, 65535.0, 1e7])
def test_pixels_of_real_numbers_are_scaled(folder: Path, largest: float) -> None:
    ramp = np.tile(np.linspace(0, largest, 256, dtype=np.float32), (8, 1))
    ramp[0, 0] = np.nan
    Image.fromarray(ramp).save(folder / "a.tif")
    pixels = open_picture(folder / "a.tif").pixels
    assert np.abs(pixels[4, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_one_bit_and_grey(folder: Path) -> None:
    image = Image.new("1", (40, 20), 1)
    image.paste(0, (0, 0, 20, 20))
    for name in ("a.png", "a.tif", "a.bmp"):
        image.save(folder / name)
        pixels = open_picture(folder / name).pixels
        assert (pixels[:, :20] == 0).all() and (pixels[:, 20:] == 255).all(), name


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(folder: Path, mode: str) -> None:
    image = Image.new("RGBA", (40, 20), (0, 0, 0, 0))
    image.paste((120, 120, 120, 255), (20, 0, 40, 20))
    image.convert(mode).save(folder / "a.png")
    pixels = open_picture(folder / "a.png").pixels
    assert (pixels[:, :20] == 255).all()
    assert np.abs(pixels[:, 20:].astype(int) - 120).max() <= 1


def test_a_transparent_colour_is_white(folder: Path) -> None:
    image = quarters()
    image.save(folder / "a.png", transparency=RED)
    assert_corners(open_picture(folder / "a.png").pixels, ((255, 255, 255), GREEN, BLUE, YELLOW))


def test_a_picture_that_is_transparent_all_over_is_shown(folder: Path) -> None:
    image = quarters().convert("RGBA")
    image.putalpha(0)
    image.save(folder / "a.png")
    assert_corners(open_picture(folder / "a.png").pixels)


def test_colours_of_another_space_become_those_of_the_screen(folder: Path) -> None:
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))
    swapped = swapped.replace(b"rXYZ", b"tEMP", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"tEMP", b"bXYZ", 1)
    save(quarters(), folder / "a.png", "PNG", icc_profile=swapped)
    assert_corners(open_picture(folder / "a.png").pixels, tuple(c[::-1] for c in CORNERS), off=40)  # type: ignore[arg-type]


def test_a_broken_colour_profile_is_ignored(folder: Path) -> None:
    save(quarters(), folder / "a.png", "PNG", icc_profile=b"nonsense" * 40)
    assert_corners(open_picture(folder / "a.png").pixels)


# Upright

TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_pictures_are_turned_as_their_exif_says(folder: Path, orientation: int, kind: str) -> None:
    lying = quarters() if orientation == 1 else quarters().transpose(TURNED[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    # HEIF's own turn counts, not that of its EXIF; it is written from these bytes.
    said = exif.tobytes() if kind == "HEIF" else exif
    picture = open_picture(save(lying, folder / "a", kind, exif=said, quality=95))
    assert (picture.info.width_px, picture.info.height_px) == (96, 64)
    assert picture.pixels.shape == (64, 96, 3)
    assert_corners(picture.pixels)


# Sizes


def test_one_pixel(folder: Path) -> None:
    Image.new("RGB", (1, 1), BLUE).save(folder / "a.png")
    assert tuple(open_picture(folder / "a.png").pixels[0, 0]) == BLUE
    assert open_picture(folder / "a.png", 1).pixels.shape == (1, 1, 3)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
@pytest.mark.parametrize("height_px", [1, 300])
def test_very_wide(folder: Path, name: str, height_px: int) -> None:
    image = quarters(30_000, height_px) if height_px > 1 else Image.new("RGB", (30_000, 1), RED)
    image.save(folder / name)
    picture = open_picture(folder / name)
    assert (picture.info.width_px, picture.info.height_px) == (30_000, height_px)
    assert picture.pixels.shape[1] == 2048
    assert abs(picture.pixels.shape[0] - max(1, height_px * 2048 / 30_000)) <= 1
    if height_px > 1:
        assert_corners(picture.pixels)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA", "CMYK", "1", "I;16"])
def test_strips_join_without_a_seam(folder: Path, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large picture is converted in strips; the result is as if it had been done at once."""
    monkeypatch.setattr("engine.media.image_pixels.STRIP_PX", 5000)
    ramp = np.linspace(0, 255, 700)[:, None] * np.ones(900)
    source = Image.fromarray((ramp * 257).astype(np.uint16) if mode == "I;16" else ramp.astype(np.uint8))
    image = source if mode == "I;16" else source.convert(mode)
    image.save(folder / "a.tif" if mode == "CMYK" else folder / "a.png")
    pixels = open_picture(folder / ("a.tif" if mode == "CMYK" else "a.png"), 150).pixels
    assert pixels.shape == (117, 150, 3)
    means = pixels.mean(axis=(1, 2))
    assert np.abs(means - np.linspace(1, 254, 117)).max() < (12 if mode in ("1", "P") else 3)


@pytest.mark.parametrize("name", ["a.jpg", "a.jp2", "a.png"])
def test_large_files_are_made_smaller_while_decoding(folder: Path, name: str) -> None:
    quarters(4000, 3000).save(folder / name)
    picture = open_picture(folder / name, 400)
    assert picture.pixels.shape == (300, 400, 3)
    assert (picture.info.width_px, picture.info.height_px) == (4000, 3000)
    assert_corners(picture.pixels)


def test_small_pictures_are_not_made_larger(folder: Path) -> None:
    quarters().save(folder / "a.png")
    assert open_picture(folder / "a.png", 1000).pixels.shape == (64, 96, 3)


# More than one frame


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_animated_files_by_their_first_frame(folder: Path, kind: str) -> None:
    others = [Image.new("RGB", (96, 64), colour) for colour in ("white", "black")]
    save(quarters(), folder / "a", kind, save_all=True, append_images=others, duration=100)
    picture = open_picture(folder / "a")
    assert picture.info.frames == 3
    assert_corners(picture.pixels, off=40)


def test_a_stereo_photo_is_a_jpeg(folder: Path) -> None:
    save(quarters(), folder / "a.mpo", "MPO", save_all=True, append_images=[Image.new("RGB", (96, 64))])
    picture = open_picture(folder / "a.mpo")
    assert (picture.info.format, picture.info.frames) == ("JPEG", 2)
    assert_corners(picture.pixels)


# What the file says of itself


def tagged(**position: object) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "Canon EOS 80D"
    exif[0x0132] = "2024:06:01 10:00:00"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:03 14:22:10"
    exif.get_ifd(0x8825).update({int(key[1:]): value for key, value in position.items()})
    return exif


def test_exif_is_read(folder: Path) -> None:
    rational = TiffImagePlugin.IFDRational
    place = {"_1": "N", "_2": (48, 51, rational(3024, 100)), "_3": "W", "_4": (2, 17, rational(4020, 100))}
    for kind in ("JPEG", "PNG", "WEBP", "HEIF"):
        picture = open_picture(save(quarters(), folder / "a", kind, exif=tagged(**place)))
        assert picture.taken == "2024-05-03 14:22:10"
        assert picture.camera == "Canon EOS 80D"
        assert picture.latitude == pytest.approx(48.8584, abs=1e-4)
        assert picture.longitude == pytest.approx(-2.2945, abs=1e-4)


@pytest.mark.parametrize(
    "place",
    [{}, {"_1": "N", "_2": (0, 0, 0), "_3": "E", "_4": (0, 0, 0)}, {"_2": (99, 0, 0), "_4": (1, 0, 0)}],
)
def test_impossible_positions_are_left_out(folder: Path, place: dict[str, object]) -> None:
    picture = open_picture(save(quarters(), folder / "a.jpg", "JPEG", exif=tagged(**place)))
    assert (picture.latitude, picture.longitude) == (None, None)


def test_nonsense_in_exif_is_left_out(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0132], exif[0x0110] = "0000:00:00 00:00:00", "A\nB\x07C" + "x" * 500
    picture = open_picture(save(quarters(), folder / "a.jpg", "JPEG", exif=exif))
    assert picture.taken == ""
    assert picture.camera.startswith("A B C")
    assert len(picture.camera) == 80
    save(quarters(), folder / "b.jpg", "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage")
    assert open_picture(folder / "b.jpg").taken == ""


def test_a_place_is_read_from_xmp(folder: Path) -> None:
    xmp = '<x:xmpmeta><rdf:Description photoshop:City="Saint-Lô &amp; more"><photoshop:Country>France</photoshop:Country>'
    picture = open_picture(save(quarters(), folder / "a.jpg", "JPEG", xmp=xmp.encode()))
    assert picture.place == "Saint-Lô & more, France"


# For models, for lists, from elsewhere


def test_the_model_gets_the_whole_picture_squeezed(folder: Path) -> None:
    pixels = resize_for_model(np.array(quarters(300, 100)), 50)
    assert pixels.shape == (50, 50, 3)
    assert_corners(pixels)


def test_thumbnails(folder: Path) -> None:
    quarters(3000, 2000).save(folder / "a.jpg")
    with Image.open(io.BytesIO(thumbnail_jpeg(folder / "a.jpg", 96))) as small:
        assert small.format == "JPEG"
        assert small.size == (96, 64)
        assert_corners(np.array(small), off=20)


def test_pixels_painted_elsewhere() -> None:
    picture = picture_from_pixels(np.zeros((4, 6, 3), np.uint8), format="SVG")
    assert (picture.info.width_px, picture.info.height_px, picture.info.format) == (6, 4, "SVG")
    with pytest.raises(ValueError, match="not RGB"):
        picture_from_pixels(np.zeros((4, 6), np.uint8))
