drop table image_uploads;
